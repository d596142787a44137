#include "engine/guest/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/fd.h"
#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"
#include "engine/protocol/cgroup_name.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kControlFileLimit = 1U << 20;
constexpr std::uint64_t kFreezeTimeoutNs = 2'000'000'000;
constexpr int kMovePasses = 100;
constexpr int kRemoveRetries = 3;
constexpr timespec kRemovePause{0, 100'000'000};
constexpr double kCpuPeriodUs = 100'000;  // the kernel's default
constexpr double kSmallestQuotaUs = 1'000;

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

bool is_below(std::string_view name, std::string_view ancestor) {
  return name.size() > ancestor.size() && name.starts_with(ancestor) && name[ancestor.size()] == '/';
}

/// "a", "a/b", "a/b/c" for "a/b/c".
std::vector<std::string> path_to(std::string_view name) {
  std::vector<std::string> path;
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1))
    path.emplace_back(name.substr(0, slash));
  path.emplace_back(name);
  return path;
}

std::string cpu_max(double cpus) {
  const auto quota_us = std::max(std::round(cpus * kCpuPeriodUs), kSmallestQuotaUs);
  return std::to_string(static_cast<std::uint64_t>(quota_us)) + " " +
         std::to_string(static_cast<int>(kCpuPeriodUs));
}

/// Waits until cgroup.events at `path` has `line`. The kernel tells of a change by POLLPRI.
Status wait_for_event(const std::string& path, std::string_view line) {
  const Fd events(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!events) return system_error("open " + path);
  const auto deadline = monotonic_ns() + kFreezeTimeoutNs;
  while (true) {
    char text[256];
    const auto got = ::pread(events.get(), text, sizeof text, 0);
    if (got < 0) return system_error("read " + path);
    if (std::string_view(text, static_cast<std::size_t>(got)).find(line) != std::string_view::npos)
      return ok();
    const auto now = monotonic_ns();
    if (now >= deadline)
      return Error{ErrorCode::kTimeout, path + " does not say \"" + std::string(line) + "\" within 2 s"};
    pollfd change{events.get(), POLLPRI, 0};
    if (::poll(&change, 1, static_cast<int>((deadline - now) / 1'000'000 + 1)) < 0 && errno != EINTR)
      return system_error("poll " + path);
  }
}

}  // namespace

std::string CgroupTree::file(std::string_view name, std::string_view control) const {
  std::string path = root_;
  if (!name.empty()) path.append("/").append(name);
  return path.append("/").append(control);
}

std::string CgroupTree::procs_of(const std::optional<std::string>& name) const {
  return name ? file(*name, "cgroup.procs") : own_ + "/cgroup.procs";
}

Status CgroupTree::check(std::string_view name) const {
  KTSTR_TRY_STATUS(protocol::check_cgroup_name(name));
  if (std::find(made_.begin(), made_.end(), name) == made_.end())
    return Error{ErrorCode::kNotFound, "there is no cgroup \"" + std::string(name) + "\""};
  return ok();
}

std::vector<std::string> CgroupTree::subtree(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& made : made_)
    if (made == name || is_below(made, name)) names.push_back(made);
  return names;
}

Status CgroupTree::create(const protocol::AddCgroup& request) {
  KTSTR_TRY_STATUS(protocol::check_cgroup_name(request.cgroup));
  if (check(request.cgroup))
    return Error{ErrorCode::kInvalidArgument, "the cgroup \"" + request.cgroup + "\" exists already"};
  const auto made_before = made_.size();
  auto status = make_directories(request.cgroup);
  if (status) status = enable_controllers(request.cgroup, request);
  if (status) status = set_limits(request);
  if (status) return ok();
  while (made_.size() > made_before) {
    if (::rmdir(file(made_.back(), "").c_str()) < 0)
      status.error().message += " (and " + made_.back() + " is left behind)";
    made_.pop_back();
  }
  return status;
}

Status CgroupTree::make_directories(std::string_view name) {
  for (const auto& part : path_to(name)) {
    if (check(part)) continue;
    if (::mkdir(file(part, "").c_str(), 0755) < 0) return system_error("mkdir " + file(part, ""));
    made_.push_back(part);
  }
  return ok();
}

Status CgroupTree::enable_controllers(std::string_view name, const protocol::AddCgroup& request) {
  // cpu and cpuset are cheap and every op needs them; the domain controllers would forbid tasks in the
  // cgroups above.
  const struct {
    const char* controller;
    bool wanted;
    bool required;
  } controllers[] = {{"cpuset", true, request.cpus.has_value()},
                     {"cpu", true, request.cpu_weight || request.cpu_quota},
                     {"memory", request.memory_max.has_value(), request.memory_max.has_value()},
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
        KTSTR_TRY_STATUS(
            write_control(file(parent, "cgroup.subtree_control"), std::string("+") + controller));
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
    return Error{ErrorCode::kInvalidArgument, "the CPU quota of \"" + name + "\" is not above 0"};
  if (request.cpus) KTSTR_TRY_STATUS(set_cpuset(name, request.cpus));
  if (request.cpu_weight)
    KTSTR_TRY_STATUS(write_control(file(name, "cpu.weight"), std::to_string(*request.cpu_weight)));
  if (request.cpu_quota) KTSTR_TRY_STATUS(write_control(file(name, "cpu.max"), cpu_max(*request.cpu_quota)));
  if (request.memory_max)
    KTSTR_TRY_STATUS(write_control(file(name, "memory.max"), std::to_string(request.memory_max->bytes)));
  if (request.pids_max)
    KTSTR_TRY_STATUS(write_control(file(name, "pids.max"), std::to_string(*request.pids_max)));
  return ok();
}

Status CgroupTree::set_cpuset(std::string_view name, const std::optional<CpuSet>& cpus) {
  KTSTR_TRY_STATUS(check(name));
  return write_control(file(name, "cpuset.cpus"), (cpus ? cpus->to_string() : "") + "\n");
}

Status CgroupTree::freeze(std::string_view name, bool frozen) {
  KTSTR_TRY_STATUS(check(name));
  KTSTR_TRY_STATUS(write_control(file(name, "cgroup.freeze"), frozen ? "1" : "0"));
  return wait_for_event(file(name, "cgroup.events"), frozen ? "frozen 1" : "frozen 0");
}

Status CgroupTree::thaw_path(std::string_view name) {
  KTSTR_TRY_STATUS(check(name));
  for (const auto& part : path_to(name)) {
    const auto setting = KTSTR_TRY(read_file(file(part, "cgroup.freeze"), kControlFileLimit));
    if (setting.text.starts_with('1')) KTSTR_TRY_STATUS(freeze(part, false));
  }
  return ok();
}

Status CgroupTree::thaw_all() {
  Status first = ok();
  for (const auto& name : made_)
    if (auto status = thaw_path(name); !status && first) first = std::move(status);
  return first;
}

Result<bool> CgroupTree::is_frozen(std::string_view name) const {
  KTSTR_TRY_STATUS(check(name));
  const auto events = KTSTR_TRY(read_file(file(name, "cgroup.events"), kControlFileLimit));
  return events.text.find("frozen 1") != std::string::npos;
}

Result<std::vector<pid_t>> CgroupTree::processes(std::string_view name) const {
  const auto procs = KTSTR_TRY(read_file(file(name, "cgroup.procs"), kControlFileLimit));
  std::vector<pid_t> pids;
  for (const char *at = procs.text.data(), *end = at + procs.text.size(); at < end; ++at) {
    pid_t pid = 0;
    at = std::from_chars(at, end, pid).ptr;
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

Status CgroupTree::move(const std::vector<pid_t>& pids, const std::optional<std::string>& to) {
  if (to) KTSTR_TRY_STATUS(check(*to));
  for (const auto pid : pids) KTSTR_TRY_STATUS(write_control(procs_of(to), std::to_string(pid)));
  return ok();
}

Status CgroupTree::move_all(std::string_view from, const std::optional<std::string>& to) {
  KTSTR_TRY_STATUS(check(from));
  for (int pass = 0; pass < kMovePasses; ++pass) {
    const auto pids = KTSTR_TRY(processes(from));
    if (pids.empty()) return ok();
    KTSTR_TRY_STATUS(move(pids, to));
  }
  return Error{ErrorCode::kTimeout, "tasks keep appearing in the cgroup \"" + std::string(from) + "\""};
}

Status CgroupTree::remove_one(const std::string& name) {
  KTSTR_TRY_STATUS(thaw_path(name));
  KTSTR_TRY_STATUS(move_all(name, std::nullopt));
  const auto directory = file(name, "");
  int result = ::rmdir(directory.c_str());
  // A task that is just ending keeps the directory busy though cgroup.procs is empty.
  for (int i = 0; i < kRemoveRetries && result < 0 && errno == EBUSY; ++i) {
    ::nanosleep(&kRemovePause, nullptr);
    result = ::rmdir(directory.c_str());
  }
  if (result < 0) return system_error("rmdir " + directory);
  std::erase(made_, name);
  return ok();
}

Status CgroupTree::remove(std::string_view name) {
  KTSTR_TRY_STATUS(check(name));
  const auto names = subtree(name);
  for (auto at = names.rbegin(); at != names.rend(); ++at) KTSTR_TRY_STATUS(remove_one(*at));
  return ok();
}

Status CgroupTree::remove_all() {
  Status first = ok();
  const auto names = made_;
  for (auto at = names.rbegin(); at != names.rend(); ++at)
    if (auto status = remove_one(*at); !status && first) first = std::move(status);
  return first;
}

Result<std::string> find_own_cgroup() {
  const auto membership = KTSTR_TRY(read_file("/proc/self/cgroup", kControlFileLimit)).text;
  const auto mounts = KTSTR_TRY(read_file("/proc/self/mounts", kControlFileLimit)).text;
  const Error absent{ErrorCode::kUnavailable, "no cgroup v2 hierarchy is mounted"};
  // "0::/path" in the one, "cgroup2 /mount/point cgroup2 ..." in the other.
  const auto line = membership.starts_with("0::") ? 0 : membership.find("\n0::") + 1;
  if (line == 0 && !membership.starts_with("0::")) return absent;
  const auto path = membership.substr(line + 3, membership.find('\n', line) - line - 3);
  const auto type = mounts.find(" cgroup2 ");
  if (type == std::string::npos) return absent;
  const auto target = mounts.rfind(' ', type - 1) + 1;
  return mounts.substr(target, type - target) + (path == "/" ? "" : path);
}

}  // namespace ktstr::engine::guest
