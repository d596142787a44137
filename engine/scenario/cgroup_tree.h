// CgroupTree: the cgroups that exist at a point of a scenario, their cpusets and how many workers they hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"

namespace ktstr::engine {

/// Follows what ops do, and refuses what cgroup v2 or the agent would refuse. After an error nothing has
/// changed. All errors are kInvalidArgument and name the cgroup.
class CgroupTree {
 public:
  /// Whether there is room for `more` cgroups: there may be 4096 at once.
  [[nodiscard]] Status check_room(std::size_t more) const;
  [[nodiscard]] Status check_exists(const std::string& name) const;
  /// Whether it exists and has a cpuset that is not its parent's.
  [[nodiscard]] Status check_has_cpuset(const std::string& name) const;
  /// Whether it exists, has no cgroup inside and is not frozen.
  [[nodiscard]] Status check_takes_workers(const std::string& name) const;
  /// Names follow protocol::check_cgroup_name. The parent of a nested cgroup ("web" of "web/api") must exist
  /// and hold no workers (cgroup v2 keeps tasks in leaves).
  [[nodiscard]] Status add(const std::string& name, const std::optional<CpuSet>& cpuset);
  /// Workers go with it. A cgroup with another one inside stays.
  [[nodiscard]] Status remove(const std::string& name);
  /// The cgroup, if there is one, and those inside it end with step `step`: names that later ops use are told
  /// so.
  void end(const std::string& name, std::size_t step);

  /// Absent: clears it. A cpuset must share a CPU with each of its ancestors and descendants.
  [[nodiscard]] Status set_cpuset(const std::string& name, const std::optional<CpuSet>& cpuset);
  [[nodiscard]] Status swap_cpusets(const std::string& a, const std::string& b);
  /// Its own cpuset or its nearest ancestor's; nothing when none has one.
  [[nodiscard]] std::optional<CpuSet> cpuset(std::string_view name) const;

  [[nodiscard]] Status spawn(const std::string& name, std::uint32_t workers);
  [[nodiscard]] Status stop(const std::string& name);
  [[nodiscard]] Status move_tasks(const std::string& from, const std::string& to);
  [[nodiscard]] Status set_frozen(const std::string& name, bool frozen);
  /// Errors: no such cgroup, or no worker in it.
  [[nodiscard]] Result<std::uint32_t> workers(const std::string& name) const;

 private:
  struct Cgroup {
    std::optional<CpuSet> cpuset;
    std::uint32_t workers = 0;
    bool frozen = false;
  };
  using Cgroups = std::map<std::string, Cgroup>;

  [[nodiscard]] std::optional<std::string> child_of(const std::string& name) const;
  /// Whether its cpuset, or also each one below it, shares a CPU with what its parent has.
  [[nodiscard]] Status check_cpuset(const std::string& name) const;
  [[nodiscard]] Status check_below(const std::string& name) const;

  Cgroups cgroups_;
  std::map<std::string, std::size_t> ended_;  ///< the step that each ended with
};

}  // namespace ktstr::engine
