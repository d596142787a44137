#include "engine/guest/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "engine/base/io.h"
#include "engine/guest/kernel_file.h"
#include "engine/protocol/cgroup_name.h"

namespace ktstr::engine::guest {
namespace {

constexpr int kMovePasses = 100;
constexpr int kRemoveRetries = 3;
constexpr timespec kRemovePause{0, 100'000'000};
constexpr Duration kEventTimeout = std::chrono::seconds(2);
constexpr std::size_t kMostEventBytes = 4096;

/// Whether the cgroup `name` lies below `ancestor`.
bool is_below(std::string_view name, std::string_view ancestor) {
  return name.size() > ancestor.size() && name.starts_with(ancestor) && name[ancestor.size()] == '/';
}

/// Waits up to 2 s until the cgroup.events file at `path` has `line`. Errors: kTimeout, kIo.
Status wait_for_event(const std::string& path, std::string_view line) {
  const Fd events(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!events) return system_error("open " + path);
  const auto deadline = deadline_after(kEventTimeout);
  while (KTSTR_TRY(read_file(events.get(), kMostEventBytes, path)).text.find(line) == std::string::npos) {
    // The kernel reports a change by POLLPRI.
    pollfd change{events.get(), POLLPRI, 0};
    const int ready = poll_until(std::span(&change, 1), deadline);
    if (ready < 0) return system_error("poll " + path);
    if (ready == 0)
      return Error{ErrorCode::kTimeout, path + " does not say \"" + std::string(line) + "\" within 2 s"};
  }
  return ok();
}

}  // namespace

std::vector<std::string> path_to(std::string_view name) {
  std::vector<std::string> path;
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1))
    path.emplace_back(name.substr(0, slash));
  path.emplace_back(name);
  return path;
}

std::string CgroupTree::file(std::string_view name, std::string_view control) const {
  std::string path = root_;
  if (!name.empty()) path.append("/").append(name);
  return path.append("/").append(control);
}

std::string CgroupTree::procs_of(const std::optional<std::string>& name) const {
  return name ? file(*name, "cgroup.procs") : own_ + "/cgroup.procs";
}

Status CgroupTree::check(std::string_view name) const {
  KTSTR_TRY(protocol::check_cgroup_name(name));
  if (std::find(made_.begin(), made_.end(), name) == made_.end())
    return Error{ErrorCode::kNotFound, "there is no cgroup \"" + std::string(name) + "\""};
  return ok();
}

std::optional<std::string> CgroupTree::control(std::string_view name, std::string_view file_name) const {
  if (!check(name)) return std::nullopt;
  auto content = read_file(file(name, file_name), kControlFileLimit);
  if (!content) return std::nullopt;
  while (content->text.ends_with('\n')) content->text.pop_back();
  return std::move(content->text);
}

std::vector<std::string> CgroupTree::subtree(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& made : made_)
    if (made == name || is_below(made, name)) names.push_back(made);
  return names;
}

Status CgroupTree::create(const protocol::AddCgroup& request) {
  KTSTR_TRY(protocol::check_cgroup_name(request.cgroup));
  if (check(request.cgroup)) return invalid_argument("the cgroup \"" + request.cgroup + "\" exists already");
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

Status CgroupTree::freeze(std::string_view name, bool frozen) {
  KTSTR_TRY(check(name));
  KTSTR_TRY(write_control(file(name, "cgroup.freeze"), frozen ? "1" : "0"));
  return wait_for_event(file(name, "cgroup.events"), frozen ? "frozen 1" : "frozen 0");
}

Status CgroupTree::thaw_path(std::string_view name) {
  KTSTR_TRY(check(name));
  for (const auto& part : path_to(name)) {
    const auto setting = KTSTR_TRY(read_file(file(part, "cgroup.freeze"), kControlFileLimit));
    if (setting.text.starts_with('1')) KTSTR_TRY(freeze(part, false));
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
  KTSTR_TRY(check(name));
  const auto events = KTSTR_TRY(read_file(file(name, "cgroup.events"), kControlFileLimit));
  return events.text.find("frozen 1") != std::string::npos;
}

Result<std::vector<pid_t>> CgroupTree::processes(std::string_view name) const {
  const auto procs = KTSTR_TRY(read_file(file(name, "cgroup.procs"), kControlFileLimit));
  if (procs.truncated)
    return Error{ErrorCode::kUnavailable,
                 "cgroup \"" + std::string(name) + "\" has too many processes to list"};
  auto pids = pids_in(procs.text);
  std::erase(pids, 0);  // of another namespace
  return pids;
}

Status CgroupTree::move(const std::vector<pid_t>& pids, const std::optional<std::string>& to) {
  if (to) KTSTR_TRY(check(*to));
  if (pids.empty()) return ok();
  std::vector<std::string> numbers;
  for (const auto pid : pids) numbers.push_back(std::to_string(pid));
  return write_control(procs_of(to), std::move(numbers));
}

Status CgroupTree::move_all(std::string_view from, const std::optional<std::string>& to) {
  KTSTR_TRY(check(from));
  for (int pass = 0; pass < kMovePasses; ++pass) {
    const auto pids = KTSTR_TRY(processes(from));
    if (pids.empty()) return ok();
    KTSTR_TRY(move(pids, to));
  }
  return Error{ErrorCode::kTimeout, "tasks keep appearing in the cgroup \"" + std::string(from) + "\""};
}

Status CgroupTree::remove_one(const std::string& name) {
  KTSTR_TRY(thaw_path(name));
  KTSTR_TRY(move_all(name, std::nullopt));
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
  KTSTR_TRY(check(name));
  const auto names = subtree(name);
  for (auto at = names.rbegin(); at != names.rend(); ++at) KTSTR_TRY(remove_one(*at));
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
