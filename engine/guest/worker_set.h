// WorkerSet: the workers of a session: starting, watching, stopping them, and reaping whatever else ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/guest/cgroup.h"
#include "engine/guest/worker.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// Precondition for all: SIGCHLD is blocked in this process.
class WorkerSet {
 public:
  /// Starts workers in two phases: all are forked, set up and placed; only then are they released, together.
  /// All or none. Errors: kInvalidArgument for a bad number of workers or a frozen cgroup, and whatever
  /// placing them says.
  [[nodiscard]] Result<std::vector<pid_t>> spawn(const protocol::SpawnWorkers& request, CgroupTree& cgroups);

  using Choice = std::function<bool(const Worker&)>;
  /// Asks the chosen workers to stop, waits up to 5 s for them all, kills those that did not, with their
  /// children, and forgets them. The reports are in order of spawning. Precondition: none of them is frozen.
  [[nodiscard]] std::vector<protocol::WorkerReport> stop(const Choice& choice);

  /// Notes the end of workers and reaps orphans. To be called after SIGCHLD.
  void reap();
  /// Asked about each child that ended and is no worker, before it is reaped: whether `taker` reaped it.
  void set_taker(std::function<bool(pid_t)> taker) { taker_ = std::move(taker); }

  /// The workers in a cgroup (absent: the agent's own), in order of spawning; those that have ended too.
  [[nodiscard]] std::vector<Worker*> in_cgroup(const std::optional<std::string>& name);

 private:
  std::vector<Worker> workers_;
  std::function<bool(pid_t)> taker_ = [](pid_t) { return false; };
  std::uint64_t spawned_ = 0;  ///< how many ever: seeds of their random generators
};

}  // namespace ktstr::engine::guest
