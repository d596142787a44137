// UrgentKernelThreads: the kernel's own part in a scheduler's coming and going, ahead of every workload.
#pragma once

#include <sched.h>
#include <sys/types.h>

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
  UrgentKernelThreads(const UrgentKernelThreads&) = delete;
  UrgentKernelThreads& operator=(const UrgentKernelThreads&) = delete;

 private:
  struct Former {
    pid_t pid;
    int policy;
    sched_param param;
  };
  std::vector<Former> changed_;
};

}  // namespace ktstr::engine::guest
