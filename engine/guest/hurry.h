// What of the kernel and its CPUs is hastened while a scheduler comes or goes.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

#include "engine/base/fd.h"

namespace ktstr::engine::guest {

/// While one lives, the threads of the kernel that enable and disable schedulers, and those that end RCU's
/// grace periods, which loading waits for again and again, are SCHED_FIFO at kLoaderPriority. They are
/// SCHED_OTHER or at priority 50 otherwise, and would wait for a workload that is above that. Does nothing
/// where urgency is not due (urgency.h).
class UrgentKernelThreads {
 public:
  UrgentKernelThreads();
  ~UrgentKernelThreads();
  /// Looks for threads that have been made since: a new one is SCHED_OTHER, and whoever makes one waits until
  /// it has begun.
  void look();

  UrgentKernelThreads(const UrgentKernelThreads&) = delete;
  UrgentKernelThreads& operator=(const UrgentKernelThreads&) = delete;

 private:
  struct Former {
    pid_t pid;
    int policy;
    sched_param param;
  };
  void hasten(pid_t pid);

  std::vector<Former> changed_;
  std::set<pid_t> seen_;
  std::string last_made_;
};

/// While one lives, synchronize_rcu() asks every CPU at once (/sys/kernel/rcu_expedited), and takes one
/// interrupt of each rather than some ticks. A scheduler's end and its attach wait for eight grace periods
/// one after the other. Does nothing where urgency is not due (urgency.h), or the kernel has no such file.
class ExpeditedGracePeriods {
 public:
  ExpeditedGracePeriods();
  ~ExpeditedGracePeriods();
  ExpeditedGracePeriods(const ExpeditedGracePeriods&) = delete;
  ExpeditedGracePeriods& operator=(const ExpeditedGracePeriods&) = delete;

 private:
  std::string former_;  ///< empty: nothing was changed
};

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
