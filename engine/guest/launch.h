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

class Launch {
 public:
  /// `request` must outlive the launch.
  explicit Launch(const protocol::SpawnWorkers& request) : request_(request) {}
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch();

  /// Forks all workers and waits until each is set up (10 s). `seed`: of the first one's random generator.
  [[nodiscard]] Status fork_all(std::uint64_t seed);
  /// Gives them their policy, puts them into their cgroup and sets their affinity, in this order: a deadline
  /// task may enter a cpuset but not be made in one, and a cpuset limits what an affinity can be.
  [[nodiscard]] Status place(CgroupTree& cgroups);
  /// Lets them all go at once.
  [[nodiscard]] std::vector<Worker> release();

 private:
  [[nodiscard]] Status open_gate();
  [[nodiscard]] Status make_groups();
  [[nodiscard]] Status fork_one(std::size_t index, std::uint64_t seed);
  [[nodiscard]] Status wait_until_ready();

  const protocol::SpawnWorkers& request_;
  std::vector<Group> groups_;
  std::vector<Worker> workers_;
  Fd ready_read_, ready_write_, go_read_, go_write_;
};

}  // namespace ktstr::engine::guest
