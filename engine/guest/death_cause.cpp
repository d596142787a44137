#include "engine/guest/death_cause.h"

#include <charconv>
#include <csignal>

#include "engine/base/units.h"
#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

std::uint64_t oom_kills() {
  const auto vmstat = read_file("/proc/vmstat", kControlFileLimit);
  return vmstat ? number_of(vmstat->text, "oom_kill").value_or(0) : 0;
}

/// A limit that was hit: its value, and whose it is unless it is the worker's own cgroup's.
struct HitLimit {
  std::string value;
  std::string of;
};

/// The innermost cgroup around the worker that has a limit in `control` and counts `event` in `events`.
std::optional<HitLimit> hit_limit(const CgroupTree& cgroups, const std::optional<std::string>& cgroup,
                                  std::string_view control, std::string_view events, std::string_view event) {
  if (!cgroup) return std::nullopt;
  auto path = path_to(*cgroup);
  for (auto name = path.rbegin(); name != path.rend(); ++name) {
    const auto limit = cgroups.control(*name, control);
    const auto counts = cgroups.control(*name, events);
    if (!limit || !counts || limit->starts_with("max") || number_of(*counts, event).value_or(0) == 0)
      continue;
    return HitLimit{*limit, *name == *cgroup ? "" : *name};
  }
  return std::nullopt;
}

std::string as_size(const std::string& bytes) {
  std::uint64_t number = 0;
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
  return format_byte_size(ByteSize{number});
}

std::string of_cgroup(const HitLimit& limit) {
  return limit.of.empty() ? "" : " of cgroup " + limit.of;
}

}  // namespace

DeathCauses::DeathCauses(const CgroupTree& cgroups) : cgroups_(cgroups), oom_kills_told_(oom_kills()) {}

/// The kernel counts a kill before it sends the signal.
bool DeathCauses::oom_killed_another() {
  if (oom_kills() <= oom_kills_told_) return false;
  ++oom_kills_told_;
  return true;
}

std::optional<std::string> DeathCauses::of(const Worker& worker, const protocol::ExitInfo& exit) {
  if (exit.how == "signaled" && exit.code == SIGKILL && oom_killed_another()) {
    const auto limit = hit_limit(cgroups_, worker.cgroup, "memory.max", "memory.events", "oom");
    if (!limit) return "killed by the OOM killer (the guest's memory is used up)";
    return "killed by the OOM killer (cgroup limit " + as_size(limit->value) + of_cgroup(*limit) + ")";
  }
  if (worker.state->failure[0] == '\0') return std::nullopt;
  std::string words(worker.state->failure);
  if (words.starts_with("fork: "))
    if (const auto limit = hit_limit(cgroups_, worker.cgroup, "pids.max", "pids.events", "max"))
      words += " (pids.max " + limit->value + of_cgroup(*limit) + ")";
  return words;
}

}  // namespace ktstr::engine::guest
