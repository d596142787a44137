// ShortTurns: workers' CPUs of an emulated guest give way while a scheduler takes over from another.
#pragma once

#include <vector>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {

/// QEMU's single-threaded emulator runs the CPUs in turn, and a busy CPU's turn ends with the next interrupt
/// that a timer of any CPU makes: after 4 ms at CONFIG_HZ=250. Whoever waits for all CPUs (patched code, a
/// grace period) waits for a turn of each, and what computes on one has a CPU's share of the host's thread.
///
/// While one lives, a timer (a perf event of cpu-clock, which nobody reads) fires every 0.1 ms on each CPU
/// while that runs a task of a worker's cgroup, and ends its turn. Kernel threads and schedulers' programs
/// are in the root cgroup and keep their turns. Does nothing elsewhere than under that emulator, with one
/// CPU, or where the kernel has no perf events of cgroups.
class ShortTurns {
 public:
  ShortTurns();

 private:
  std::vector<Fd> timers_;
};

}  // namespace ktstr::engine::guest
