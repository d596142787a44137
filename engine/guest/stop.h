// The stop flag of a worker: SIGUSR1 sets it and interrupts whatever system call blocks.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/guest/recorder.h"

namespace ktstr::engine::guest {

inline constexpr int kStopSignal = 10;  // SIGUSR1

namespace detail {
extern std::atomic<bool> stop_requested;
}

/// Installs the handler, for this process. A signal that comes between a look at the flag and a blocking call
/// interrupts nothing: the agent repeats it until the worker has ended.
void install_stop_handler();

[[nodiscard]] inline bool stopping() {
  return detail::stop_requested.load(std::memory_order_relaxed);
}

/// Sleeps until CLOCK_MONOTONIC is `due_ns` and records the wake latency; returns early, without one, when
/// asked to stop.
void sleep_until(Recorder& recorder, std::uint64_t due_ns);

/// Sleeps until asked to stop: for a worker whose partners are gone.
void wait_for_stop(Recorder& recorder);

}  // namespace ktstr::engine::guest
