// A worker: one forked process that runs one work type between its release and its stop.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guest/group.h"
#include "engine/guest/shared_pool.h"
#include "engine/guest/worker_state.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// How a worker ended, taken when it was reaped.
struct Ending {
  protocol::ExitInfo exit;
  std::uint64_t at_ns = 0;                 ///< CLOCK_MONOTONIC
  std::optional<std::uint64_t> rusage_ns;  ///< CPU time by wait4's account
  std::optional<Schedstat> schedstat;
  std::optional<std::string> failure;  ///< why, where it was not asked to
};

/// The agent's record of a worker.
struct Worker {
  pid_t pid = 0;
  std::optional<std::string> cgroup;
  std::string work;
  std::string role;                     ///< see work_role()
  std::vector<std::string> affinities;  ///< CPU lists that it was given, in order: short beside CpuSets
  SharedPool<WorkerState>::Pointer state;
  std::shared_ptr<GroupMemory> group;
  std::optional<Ending> ending;
  bool asked = false;  ///< to stop, by a signal
};

/// The ends of the start pipes that a worker uses.
struct StartGate {
  int ready;  ///< it writes a byte here when it is set up
  int go;     ///< and then waits here for the end of the stream
};

/// What a new worker is to be.
struct WorkerPlan {
  const protocol::SpawnWorkers& request;
  WorkerState& state;
  Group& group;
  std::size_t member;  ///< place in the group
  std::uint64_t seed;
};

/// The life of a worker, called in the forked child: ties itself to the agent, drops everything that is the
/// agent's, waits for the release, works until it is stopped and exits: 0, or 1 after saying on stderr and in
/// its state why it could not go on. Of the agent's fds it keeps stdin, stdout, stderr, the gate and its ends
/// of the group's pipes. Every page that it writes to is copied: up to the release it neither allocates nor
/// prints.
[[noreturn]] void live_as_worker(const WorkerPlan& plan, StartGate gate, pid_t agent);

/// The name that a work type has in scenarios.
[[nodiscard]] std::string_view work_name(const Work& work);

/// What `worker` did. Precondition: it has ended. At most `most_migrations` CPUs after migrations are listed.
[[nodiscard]] protocol::WorkerReport make_report(const Worker& worker, std::size_t most_migrations);

}  // namespace ktstr::engine::guest
