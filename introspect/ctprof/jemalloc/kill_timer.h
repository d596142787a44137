// KillTimer: the end of this process, whatever it waits for.
#pragma once

#include <time.h>

#include <chrono>

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

}  // namespace ktstr::introspect::ctprof
