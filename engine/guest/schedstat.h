// /proc/PID/schedstat: a task's CPU time, run delay and how often it was put on a CPU.
#pragma once

#include <optional>
#include <string>

#include "engine/guest/worker_state.h"

namespace ktstr::engine::guest {

/// `pid`: a number or "self"; also of a task that has ended and was not reaped. Absent when the kernel has no
/// such file, or keeps no account (it then shows zeros). Source: Documentation/scheduler/sched-stats.rst.
[[nodiscard]] std::optional<Schedstat> read_schedstat(const std::string& pid);

}  // namespace ktstr::engine::guest
