// /proc/PID/schedstat: a task's CPU time, run delay and how often it was put on a CPU.
#pragma once

#include <sys/types.h>

#include <optional>

#include "engine/guest/worker_state.h"

namespace ktstr::engine::guest {

/// `pid`: 0 is the caller's; also of a task that has ended and was not reaped. Absent when the kernel has no
/// such file, or keeps no account (it then shows zeros). Does not allocate. Source:
/// Documentation/scheduler/sched-stats.rst.
[[nodiscard]] std::optional<Schedstat> read_schedstat(pid_t pid);

}  // namespace ktstr::engine::guest
