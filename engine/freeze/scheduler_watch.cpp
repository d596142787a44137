#include "engine/freeze/scheduler_watch.h"

#include <pthread.h>

#include "engine/base/thread.h"

namespace ktstr::engine {

SchedulerWatch::SchedulerWatch(Look look, SchedulerEndDetector::IsError is_error, OnEnd on_end,
                               Duration period)
    : look_(std::move(look)),
      detector_(std::move(is_error)),
      on_end_(std::move(on_end)),
      period_(period),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  ::pthread_setname_np(thread_.native_handle(), "scheduler-watch");
}

/// What went meanwhile is seen now, while it is still expected, and is no news at the next look.
SchedulerWatch::Expected::~Expected() {
  watch_->look_once(true);
  --watch_->expected_;
}

void SchedulerWatch::look_once(bool expected) {
  std::optional<SchedulerEnd> end;
  {
    const std::lock_guard lock(mutex_);
    // Whether an end was wanted is asked after the look: whoever ends a scheduler wants it before.
    const auto now = std::chrono::steady_clock::now();
    if (const auto root = look_()) end = detector_.look(*root, expected || expected_ > 0);
    if (end) end->seen_at = now;
  }
  if (end) on_end_(*end);
}

void SchedulerWatch::run(const std::stop_token& stop) {
  do look_once(false);
  while (!stopped_within(stop, period_));
}

}  // namespace ktstr::engine
