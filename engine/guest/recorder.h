// Recorder: a worker's own view of its progress, written into its WorkerState.
#pragma once

#include <cstdint>

#include "engine/guest/worker_state.h"

namespace ktstr::engine::guest {

/// A small fast random generator (xorshift64*); good enough to choose pages and CPUs.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  /// In [0, bound). Precondition: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

/// One clock read and one CPU number (from memory that the kernel keeps up to date) for each iteration: the
/// work itself should dominate. A gap is the longest time between two signs of progress, without the time
/// that the worker slept by choice or waited for a partner; from the moment it was due or its partner had
/// posted, time counts again.
class Recorder {
 public:
  explicit Recorder(WorkerState& state, std::uint64_t seed) : state_(state), random_(seed) {}

  /// Takes the CPU and the CPU time to count from. Precondition: the agent has set released_ns.
  void release();
  /// One round of the loop is done, with so many units of work in it.
  void iteration(std::uint64_t work_units);
  /// Work within a longer round: a sign of progress.
  void work(std::uint64_t work_units);
  /// From here on time passes by choice.
  void begin_wait() { state_.waiting = true; }
  /// It was to run again at `due_ns` and does now: one wake latency.
  void woke(std::uint64_t due_ns);
  /// A wait ended without a wake-up to measure.
  void end_wait();
  /// Stops the clocks.
  void finish();

  /// CLOCK_MONOTONIC at the last sign of progress: the time without another look at the clock.
  [[nodiscard]] std::uint64_t last_progress_ns() const { return state_.last_progress_ns; }
  [[nodiscard]] Random& random() { return random_; }

 private:
  void progress(std::uint64_t now_ns);
  void note_cpu();

  WorkerState& state_;
  Random random_;
  std::uint32_t seen_placement_ = ~std::uint32_t{0};  ///< of the last look that was put down
};

}  // namespace ktstr::engine::guest
