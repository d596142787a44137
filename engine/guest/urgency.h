// Urgency: a scheduler's program ahead of everything that a scenario runs, while it loads and while it goes.
#pragma once

#include <sys/types.h>

namespace ktstr::engine::guest {

/// Whether schedulers are to be urgent here: where the agent itself has a real-time priority, as PID 1 has.
[[nodiscard]] bool is_urgency_due();

/// Whether the thread has a loader's policy and priority.
[[nodiscard]] bool is_urgent(pid_t tid);

/// Gives SCHED_FIFO at kLoaderPriority to every thread of `pid` and of its descendants that has no real-time
/// policy. What can't be changed stays as it is.
void make_urgent(pid_t pid);

/// Takes it back: SCHED_OTHER, nice 0. Threads that have given themselves another policy keep it.
void make_ordinary(pid_t pid);

}  // namespace ktstr::engine::guest
