// WorkerSet: the workers of a session: starting, watching, stopping them, and reaping whatever else ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/guest/cgroup.h"
#include "engine/guest/death_cause.h"
#include "engine/guest/launch.h"
#include "engine/guest/worker.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// What it does costs the same for each worker, however many there are. Precondition for all: SIGCHLD is
/// blocked in this process.
class WorkerSet {
 public:
  /// `cgroups` must outlive the set.
  explicit WorkerSet(CgroupTree& cgroups) : cgroups_(cgroups), causes_(cgroups) {}
  WorkerSet(const WorkerSet&) = delete;
  WorkerSet& operator=(const WorkerSet&) = delete;

  /// Starts workers in two phases: all are forked, set up and placed; only then are they released, together.
  /// All or none. Takes the affinities out of the request. Errors: kInvalidArgument for a bad number of
  /// workers or a frozen cgroup, and whatever placing them says.
  [[nodiscard]] Result<std::vector<pid_t>> spawn(protocol::SpawnWorkers& request);

  using Choice = std::function<bool(const Worker&)>;
  /// Asks the chosen workers to stop, kills those that did not when none has ended for 5 s, with their
  /// children, and forgets them all. The reports are in order of spawning. Precondition: none of them is
  /// frozen.
  [[nodiscard]] std::vector<protocol::WorkerReport> stop(const Choice& choice);

  /// Does what changes where the workers of these cgroups may run. Meanwhile none of their CPUs is held
  /// against a cpuset, and afterwards against the one that their cgroup has then.
  [[nodiscard]] Status change_placement(const std::vector<std::string>& cgroups,
                                        const std::function<Status()>& change);

  /// Notes the end of workers and reaps orphans. To be called after SIGCHLD.
  void reap();
  /// Asked about each child that ended and is no worker, before it is reaped: whether `taker` reaped it.
  void set_taker(std::function<bool(pid_t)> taker) { taker_ = std::move(taker); }

  /// The workers in a cgroup (absent: the agent's own), in order of spawning; those that have ended too.
  [[nodiscard]] std::vector<Worker*> in_cgroup(const std::optional<std::string>& name);

 private:
  void note_ending(Worker& worker);
  void note_endings(std::vector<Worker*>& running);
  void wait_for_endings(std::vector<Worker*>& running, bool whole_group, int signal,
                        std::uint64_t patience_ns);
  void forget(const Choice& choice);

  CgroupTree& cgroups_;
  DeathCauses causes_;
  WorkerMemory memory_;  ///< before workers_, which hold parts of it
  std::vector<Worker> workers_;
  std::unordered_map<pid_t, std::size_t> by_pid_;  ///< the latest worker of each number: index into workers_
  std::function<bool(pid_t)> taker_ = [](pid_t) { return false; };
  std::uint64_t spawned_ = 0;  ///< how many ever: seeds of their random generators
};

}  // namespace ktstr::engine::guest
