// UrgentKernelThreads: the kernel's own part in a scheduler's coming and going, ahead of every workload.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

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

}  // namespace ktstr::engine::guest
