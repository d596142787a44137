// ThreadClock: CPU time of a thread of any process.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/fd.h"

namespace ktstr::engine {

/// Reads /proc/TID/schedstat (Documentation/scheduler/sched-stats.rst: time spent on the CPU, ns), because a
/// CPU clock of another process's thread may not be read (posix_cpu_timers.c: pid_for_clock()).
class ThreadClock {
 public:
  /// A clock that reads nothing.
  ThreadClock() = default;
  /// `tid` in our PID namespace.
  explicit ThreadClock(int tid);

  /// CPU time so far, ns; absent when the thread is gone or the host's kernel keeps no schedstat.
  [[nodiscard]] std::optional<std::uint64_t> read() const;

 private:
  Fd file_;
};

}  // namespace ktstr::engine
