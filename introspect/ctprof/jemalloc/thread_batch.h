// ThreadBatch: a few threads of one process that are stopped and read together, and KillTimer: the end of
// this process, whatever it waits for.
#pragma once

#include <time.h>

#include <chrono>
#include <filesystem>
#include <span>
#include <vector>

#include "introspect/ctprof/jemalloc/probe_board.h"
#include "introspect/ctprof/jemalloc/process_heap.h"

namespace ktstr::introspect::ctprof {

/// A timer whose expiry is SIGKILL for the whole process: the kernel sends it, so that it does not matter
/// whether any code of this process gets to run. For a process that may die.
class KillTimer {
 public:
  KillTimer();
  ~KillTimer();
  KillTimer(const KillTimer&) = delete;
  KillTimer& operator=(const KillTimer&) = delete;

  /// From now on, in place of what was set before.
  void set(std::chrono::nanoseconds time);
  void stop() { set(std::chrono::nanoseconds(0)); }

 private:
  timer_t timer_{};
};

/// Together, because on a busy machine each must wait for its turn on a CPU to stop; and few, because those
/// that stop at once are read one after the other within the time that one may be stopped.
class ThreadBatch {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr std::chrono::milliseconds kLongestStop{1};

  struct Subject {
    std::filesystem::path process;  ///< its directory in /proc
    const std::vector<ThreadData>& data;
    std::span<const ThreadRecord> threads;  ///< of all processes, as on the board
  };

  /// Precondition: SIGCHLD is blocked, and this process has no children of its own.
  ThreadBatch(const Subject& subject, ProbeBoard& board, KillTimer& timer)
      : subject_(subject), board_(board), timer_(timer) {}

  /// Reads the threads with these places on the board; each is let go as soon as it is read. False when some
  /// did not stop within a second: they are traced until this process ends.
  [[nodiscard]] bool read(std::span<const std::size_t> places);

 private:
  struct Stopping {
    std::size_t place;
    TracedThread thread;
  };
  using Clock = std::chrono::steady_clock;

  void ask_to_stop(std::size_t place);
  void read_stopped();
  /// Reads it if it has stopped; whether it is done with.
  [[nodiscard]] bool try_read(Stopping& one, std::optional<Clock::time_point>& first_stop);
  void read_one(Stopping& one);
  void wait_for_change() const;

  const Subject& subject_;
  ProbeBoard& board_;
  KillTimer& timer_;
  std::vector<Stopping> stopping_;
  Clock::time_point deadline_ = Clock::now() + std::chrono::seconds(1);
};

}  // namespace ktstr::introspect::ctprof
