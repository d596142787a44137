#include "introspect/ctprof/jemalloc/thread_batch.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace ktstr::introspect::ctprof {
namespace {

using std::chrono::nanoseconds;

/// Takes the ends of threads that were traced: only then does their parent learn of them.
void release_dead() {
  siginfo_t dead{};
  while (::waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | __WALL) == 0 && dead.si_pid != 0) dead.si_pid = 0;
}

}  // namespace

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

bool ThreadBatch::read(std::span<const std::size_t> places) {
  constexpr std::chrono::seconds kHung{3};  // to attach can block too
  timer_.set(kHung);
  for (const auto place : places) ask_to_stop(place);
  for (read_stopped(); !stopping_.empty() && Clock::now() < deadline_; read_stopped()) wait_for_change();
  timer_.stop();
  release_dead();
  for (const auto& one : stopping_) board_.threads()[one.place].outcome.set_failure(ProbeFailure::kStop);
  return stopping_.empty();
}

/// That it is the thread which was captured is looked at in between: from then on it stays that one.
void ThreadBatch::ask_to_stop(std::size_t place) {
  const auto& record = subject_.threads[place];
  auto& outcome = board_.threads()[place].outcome;
  board_.at_thread(place);
  auto thread = TracedThread::seize(static_cast<pid_t>(record.tid));
  if (!thread) return outcome.set_failure(thread.error());
  const auto task = subject_.process / "task" / std::to_string(record.tid);
  const bool same = began_at(task, record.start_time_clock_ticks.value_or(0));
  const auto asked = thread->interrupt();
  if (!asked) return outcome.set_failure(asked.error());
  if (!same) outcome.set_failure(ProbeFailure::kGone);
  stopping_.push_back({place, std::move(*thread)});
}

void ThreadBatch::read_stopped() {
  std::optional<Clock::time_point> first_stop;
  std::erase_if(stopping_, [&](Stopping& one) { return try_read(one, first_stop); });
  if (!first_stop) return;
  timer_.set(std::max<nanoseconds>(deadline_ - Clock::now(), nanoseconds(0)) + kLongestStop * 1000);
  auto& longest = board_.progress().longest_stop_ns;
  longest = std::max(longest, static_cast<std::uint64_t>(nanoseconds(Clock::now() - *first_stop).count()));
}

bool ThreadBatch::try_read(Stopping& one, std::optional<Clock::time_point>& first_stop) {
  const auto stopped = one.thread.has_stopped();
  if (stopped && !*stopped) return false;
  auto& outcome = board_.threads()[one.place].outcome;
  if (!stopped) {
    if (outcome.is_open()) outcome.set_failure(stopped.error());
    return true;
  }
  if (!first_stop) {
    timer_.set(kLongestStop);
    first_stop = Clock::now();
  }
  if (outcome.is_open()) read_one(one);
  one.thread.let_go();
  return true;
}

void ThreadBatch::read_one(Stopping& one) {
  board_.at_thread(one.place);
  auto& slot = board_.threads()[one.place];
  const auto counters = read_counters(one.thread.tid(), one.thread, subject_.data);
  if (!counters) return slot.outcome.set_failure(counters.error());
  slot.allocated = counters->allocated;
  slot.deallocated = counters->deallocated;
  slot.outcome.set_good();
}

/// The kernel tells a tracer of each stop by SIGCHLD, which stays pending until it is waited for.
void ThreadBatch::wait_for_change() const {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  const auto left = std::max<nanoseconds>(deadline_ - Clock::now(), nanoseconds(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec time{seconds.count(), (left - seconds).count()};
  ::sigtimedwait(&child, nullptr, &time);
}

}  // namespace ktstr::introspect::ctprof
