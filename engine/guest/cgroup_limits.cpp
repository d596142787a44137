// CgroupTree's controllers and limits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/guest/cgroup.h"
#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

constexpr double kCpuPeriodUs = 100'000;  // the kernel's default
constexpr double kSmallestQuotaUs = 1'000;

std::string cpu_max(double cpus) {
  const auto quota_us = std::max(std::round(cpus * kCpuPeriodUs), kSmallestQuotaUs);
  return fmt::format("{} {}", static_cast<std::uint64_t>(quota_us), static_cast<int>(kCpuPeriodUs));
}

/// Whether `text`, words between blanks and line ends, has `word`.
bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

Status CgroupTree::enable_controllers(std::string_view name, const protocol::AddCgroup& request) {
  // cpu and cpuset are cheap and every op needs them; the domain controllers would forbid tasks in the
  // cgroups above.
  const bool memory = request.memory_max || request.memory_high;
  const struct {
    const char* controller;
    bool wanted;
    bool required;
  } controllers[] = {{"cpuset", true, request.cpus.has_value()},
                     {"cpu", true, request.cpu_weight || request.cpu_quota},
                     {"memory", memory, memory},
                     {"pids", request.pids_max.has_value(), request.pids_max.has_value()}};
  auto path = path_to(name);
  path.pop_back();
  path.insert(path.begin(), "");
  for (const auto& parent : path) {
    const auto available = KTSTR_TRY(read_file(file(parent, "cgroup.controllers"), kControlFileLimit));
    const auto enabled = KTSTR_TRY(read_file(file(parent, "cgroup.subtree_control"), kControlFileLimit));
    for (const auto& [controller, wanted, required] : controllers) {
      if (!wanted || has_word(enabled.text, controller)) continue;
      if (has_word(available.text, controller))
        KTSTR_TRY(write_control(file(parent, "cgroup.subtree_control"), std::string("+") + controller));
      else if (required)
        return Error{ErrorCode::kUnavailable, std::string("the ") + controller +
                                                  " controller is not available in " +
                                                  file(parent, "cgroup.controllers")};
    }
  }
  return ok();
}

Status CgroupTree::set_limits(const protocol::AddCgroup& request) {
  const auto& name = request.cgroup;
  if (request.cpu_quota && !(std::isfinite(*request.cpu_quota) && *request.cpu_quota > 0))
    return invalid_argument("the CPU quota of \"" + name + "\" is not above 0");
  if (request.cpus) KTSTR_TRY(set_cpuset(name, request.cpus));
  const std::pair<const char*, std::string> limits[] = {
      {"cpu.weight", request.cpu_weight ? std::to_string(*request.cpu_weight) : ""},
      {"cpu.max", request.cpu_quota ? cpu_max(*request.cpu_quota) : ""},
      {"memory.max", request.memory_max ? std::to_string(request.memory_max->bytes) : ""},
      {"memory.high", request.memory_high ? std::to_string(request.memory_high->bytes) : ""},
      {"pids.max", request.pids_max ? std::to_string(*request.pids_max) : ""}};
  for (const auto& [control, value] : limits)
    if (!value.empty()) KTSTR_TRY(write_control(file(name, control), value));
  return ok();
}

Status CgroupTree::set_cpuset(std::string_view name, const std::optional<CpuSet>& cpus) {
  KTSTR_TRY(check(name));
  KTSTR_TRY(write_control(file(name, "cpuset.cpus"), (cpus ? cpus->to_string() : "") + "\n"));
  return cpus ? check_usable(name, *cpus) : ok();
}

std::optional<CpuSet> CgroupTree::effective_cpus(std::string_view name) const {
  auto text = control(name, "cpuset.cpus.effective");
  if (!text) return std::nullopt;
  auto cpus = CpuSet::parse(*text);
  if (!cpus || cpus->empty()) return std::nullopt;
  return std::move(*cpus);
}

Status CgroupTree::check_usable(std::string_view name, const CpuSet& cpus) const {
  const auto effective = effective_cpus(name);
  if (!effective || !(cpus & *effective).empty()) return ok();
  return invalid_argument("no CPU of the cpuset " + cpus.to_string() + " of cgroup \"" + std::string(name) +
                          "\" can be used: they are offline, or not its parent's; the kernel would use " +
                          effective->to_string());
}

}  // namespace ktstr::engine::guest
