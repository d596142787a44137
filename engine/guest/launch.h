// Launch: workers between fork and release. What is not released is killed.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/guest/cgroup.h"
#include "engine/guest/group.h"
#include "engine/guest/worker.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// The memory that workers share with the agent and with one another.
struct WorkerMemory {
  SharedPool<WorkerState> states{kMostWorkersAtATime};
  SharedPool<GroupMemory> groups{kMostWorkersAtATime};
};

class Launch {
 public:
  /// Takes the affinities out of `request`: a fork copies page tables for all that the agent holds, and a
  /// CpuSet for each of thousands of workers is most of it. Both must outlive the launch.
  Launch(protocol::SpawnWorkers& request, WorkerMemory& memory);
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch();

  /// Forks all workers and waits until each is set up; 10 s without another one that is are an error. `seed`:
  /// of the first one's random generator.
  [[nodiscard]] Status fork_all(std::uint64_t seed);
  /// Gives them their policy, puts them into their cgroup and sets their affinity, in this order: a deadline
  /// task may enter a cpuset but not be made in one, and a cpuset limits what an affinity can be.
  [[nodiscard]] Status place(CgroupTree& cgroups);
  /// Lets them all go at once.
  [[nodiscard]] std::vector<Worker> release();

 private:
  [[nodiscard]] Status take_memory();
  [[nodiscard]] Status check_count() const;
  [[nodiscard]] Status fork_group(std::size_t first, std::uint64_t seed);
  [[nodiscard]] Status fork_one(Group& group, std::size_t index, std::uint64_t seed);
  void kill_all();
  [[nodiscard]] Status wait_until_ready();

  const protocol::SpawnWorkers& request_;
  WorkerMemory& memory_;
  std::vector<std::string> affinities_;  ///< CPU lists, one for each worker
  std::size_t group_size_;
  std::vector<SharedPool<WorkerState>::Pointer> states_;
  std::vector<std::shared_ptr<GroupMemory>> groups_;
  Pipe ready_, go_;
};

}  // namespace ktstr::engine::guest
