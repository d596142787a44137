#include "engine/freeze/scheduler_watch.h"

#include <fmt/format.h>
#include <pthread.h>

#include "engine/base/thread.h"

namespace ktstr::engine {

SchedulerEnd SchedulerEndDetector::error(const introspect::ScxExitKind& root) {
  running_.reset();
  told_ = root.sched;
  return {introspect::DumpCause::kSchedulerError, fmt::format("exit_kind turned to {}", root.kind), {}};
}

SchedulerEnd SchedulerEndDetector::vanished(std::string detail) {
  return {introspect::DumpCause::kSchedulerVanished, std::move(detail), {}};
}

std::optional<SchedulerEnd> SchedulerEndDetector::look(const std::optional<introspect::ScxExitKind>& root,
                                                       bool expected) {
  const auto before = running_;
  if (!root) {
    running_.reset();
    told_.reset();
    return before && !expected ? std::optional(vanished("no scheduler is loaded any more")) : std::nullopt;
  }
  if (told_ == root->sched && root->kind != 0) return std::nullopt;
  told_.reset();
  if (is_error_(root->kind)) return error(*root);
  if (root->kind != 0) {
    running_.reset();
    told_ = root->sched;
    return expected ? std::nullopt
                    : std::optional(vanished(fmt::format("exit_kind turned to {}", root->kind)));
  }
  running_ = root->sched;
  if (before && *before != root->sched && !expected) return vanished("another scheduler is in its place");
  return std::nullopt;
}

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
