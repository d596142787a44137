#include "engine/guest/stop.h"

#include <csignal>
#include <ctime>

#include "engine/guest/clock.h"

namespace ktstr::engine::guest {

static_assert(kStopSignal == SIGUSR1);

namespace detail {
constexpr std::atomic<bool> kNeverStopped = false;
thread_local const std::atomic<bool>* stop_flag = &kNeverStopped;
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace detail

void install_stop_handler(const std::atomic<bool>& flag) {
  detail::stop_flag = &flag;
  struct sigaction action {};
  action.sa_handler = [](int) {};              // writes to nothing: that would be a page more for each worker
  ::sigaction(kStopSignal, &action, nullptr);  // without SA_RESTART
  sigset_t set;
  ::sigemptyset(&set);
  ::sigprocmask(SIG_SETMASK, &set, nullptr);
}

void sleep_until(Recorder& recorder, std::uint64_t due_ns) {
  const auto due = to_timespec(due_ns);
  recorder.begin_wait();
  while (!stopping())
    if (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) == 0) return recorder.woke(due_ns);
  recorder.end_wait();
}

void wait_for_stop(Recorder& recorder) {
  recorder.begin_wait();
  while (!stopping()) ::pause();
  recorder.end_wait();
}

}  // namespace ktstr::engine::guest
