// The stop flag of a worker: the agent sets it in shared memory, and SIGUSR1 interrupts whatever system call
// blocks.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/guest/recorder.h"

namespace ktstr::engine::guest {

inline constexpr int kStopSignal = 10;  // SIGUSR1

namespace detail {
/// In a page that each thread has for itself anyway.
extern thread_local const std::atomic<bool>* stop_flag;
}  // namespace detail

/// Installs the handler, for this process, and looks at `flag` from now on. A signal that comes between a
/// look at the flag and a blocking call interrupts nothing: the agent repeats it until the worker has ended.
void install_stop_handler(const std::atomic<bool>& flag);

[[nodiscard]] inline bool stopping() {
  return detail::stop_flag->load(std::memory_order_relaxed);
}

/// Sleeps until CLOCK_MONOTONIC is `due_ns` and records the wake latency; returns early, without one, when
/// asked to stop.
void sleep_until(Recorder& recorder, std::uint64_t due_ns);

/// Sleeps until asked to stop: for a worker whose partners are gone.
void wait_for_stop(Recorder& recorder);

}  // namespace ktstr::engine::guest
