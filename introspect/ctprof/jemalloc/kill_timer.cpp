#include "introspect/ctprof/jemalloc/kill_timer.h"

#include <signal.h>
#include <unistd.h>

namespace ktstr::introspect::ctprof {

KillTimer::KillTimer() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) ::_exit(2);  // nothing is safe without it
}

KillTimer::~KillTimer() {
  ::timer_delete(timer_);
}

void KillTimer::set(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  itimerspec when{};
  when.it_value = {seconds.count(), (time - seconds).count()};
  ::timer_settime(timer_, 0, &when, nullptr);
}

}  // namespace ktstr::introspect::ctprof
