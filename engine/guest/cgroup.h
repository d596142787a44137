// CgroupTree: the cgroups (v2) that a scenario makes below one directory, and their undoing.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// More than any control file that is read whole.
inline constexpr std::size_t kControlFileLimit = 1U << 20;

/// "a", "a/b", "a/b/c" for "a/b/c".
[[nodiscard]] std::vector<std::string> path_to(std::string_view name);

/// Names are those of protocol::check_cgroup_name; each call checks them. A name that was not made here is
/// kNotFound. Kernel source of the files' meaning: Documentation/admin-guide/cgroup-v2.rst.
class CgroupTree {
 public:
  /// Cgroups are made in `root`. `own` is the cgroup directory that the agent itself lives in: tasks that
  /// must leave a cgroup go there.
  CgroupTree(std::string root, std::string own) : root_(std::move(root)), own_(std::move(own)) {}

  /// Makes the cgroup (and cgroups above it that are not there) with its limits; all or nothing. Errors:
  /// kInvalidArgument for a bad name or one that exists, kUnavailable when a limit needs a controller that
  /// the kernel lacks here, kIo.
  [[nodiscard]] Status create(const protocol::AddCgroup& request);
  /// Moves what is left in the cgroup and those below it to the agent's own, and removes them, the deepest
  /// first.
  [[nodiscard]] Status remove(std::string_view name);
  /// Removes all in reverse order of their making; goes on after an error and reports the first.
  [[nodiscard]] Status remove_all();

  /// Absent: inherits the parent's. Errors besides: kInvalidArgument when none of the CPUs can be used, of
  /// which the kernel says nothing: it uses the parent's instead.
  [[nodiscard]] Status set_cpuset(std::string_view name, const std::optional<CpuSet>& cpus);
  /// The CPUs that its tasks may use now; absent where the kernel does not say.
  [[nodiscard]] std::optional<CpuSet> effective_cpus(std::string_view name) const;
  /// Freezes or thaws, and waits at most 2 s until the kernel says that it is so. Idempotent.
  [[nodiscard]] Status freeze(std::string_view name, bool frozen);
  /// Thaws the cgroup and all above it.
  [[nodiscard]] Status thaw_path(std::string_view name);
  /// Thaws all; goes on after an error and reports the first.
  [[nodiscard]] Status thaw_all();
  /// Whether its tasks stand still, be it because of a cgroup above.
  [[nodiscard]] Result<bool> is_frozen(std::string_view name) const;

  /// Moves processes; absent: into the agent's own cgroup. One that has ended is passed over.
  [[nodiscard]] Status move(const std::vector<pid_t>& pids, const std::optional<std::string>& to);
  /// Moves every process from one cgroup to another until none is left. Errors: kTimeout when they multiply
  /// too fast.
  [[nodiscard]] Status move_all(std::string_view from, const std::optional<std::string>& to);

  /// The text of a control file of the cgroup, without line ends behind it; absent where there is none, or no
  /// such cgroup.
  [[nodiscard]] std::optional<std::string> control(std::string_view name, std::string_view file) const;

  /// The processes that are in it, not in those below. Errors: kNotFound, kIo; more than can be read at once.
  [[nodiscard]] Result<std::vector<pid_t>> processes(std::string_view name) const;

  /// All, in order of their making.
  [[nodiscard]] const std::vector<std::string>& names() const { return made_; }
  /// Errors for a bad or unknown name.
  [[nodiscard]] Status check(std::string_view name) const;
  /// The cgroup and those below it, in order of their making.
  [[nodiscard]] std::vector<std::string> subtree(std::string_view name) const;

 private:
  [[nodiscard]] std::string file(std::string_view name, std::string_view control) const;
  [[nodiscard]] Status check_usable(std::string_view name, const CpuSet& cpus) const;
  [[nodiscard]] std::string procs_of(const std::optional<std::string>& name) const;
  [[nodiscard]] Status make_directories(std::string_view name);
  [[nodiscard]] Status enable_controllers(std::string_view name, const protocol::AddCgroup& request);
  [[nodiscard]] Status set_limits(const protocol::AddCgroup& request);
  [[nodiscard]] Status remove_one(const std::string& name);

  std::string root_;
  std::string own_;
  std::vector<std::string> made_;  ///< in order of their making: parents before children
};

/// The cgroup v2 directory that this process lives in. Errors: kUnavailable when no cgroup v2 hierarchy is
/// mounted.
[[nodiscard]] Result<std::string> find_own_cgroup();

}  // namespace ktstr::engine::guest
