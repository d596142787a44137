// Why a worker ended that was not asked to: its own words, and what the limits of its cgroup have to do with
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/guest/cgroup.h"
#include "engine/guest/worker.h"

namespace ktstr::engine::guest {

/// Sources: memory.events, pids.events (Documentation/admin-guide/cgroup-v2.rst), oom_kill in /proc/vmstat.
class DeathCauses {
 public:
  /// `cgroups` must outlive it. Kills by the OOM killer are counted from here on.
  explicit DeathCauses(const CgroupTree& cgroups);

  /// "fork: Resource temporarily unavailable (pids.max 4)", "killed by the OOM killer (cgroup limit 64M)";
  /// nothing where a worker's end has no cause that is known. Called once for each worker, when it is reaped.
  [[nodiscard]] std::optional<std::string> of(const Worker& worker, const protocol::ExitInfo& exit);

 private:
  [[nodiscard]] bool oom_killed_another();

  const CgroupTree& cgroups_;
  std::uint64_t oom_kills_told_;  ///< those before the session included
};

}  // namespace ktstr::engine::guest
