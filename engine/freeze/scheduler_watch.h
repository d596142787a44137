// SchedulerWatch: a thread that looks at the root scheduler and calls when it ended unasked.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/freeze/scheduler_end.h"

namespace ktstr::engine {

/// A trigger of dumps: what to do about an end is the caller's affair.
class SchedulerWatch {
 public:
  /// A look is at most four small reads of guest memory.
  static constexpr Duration kPeriod = std::chrono::milliseconds(5);

  /// A look that fails (memory that can't be read at this instant) tells nothing.
  using Look = std::function<Result<std::optional<introspect::ScxExitKind>>()>;
  using OnEnd = std::function<void(const SchedulerEnd&)>;

  /// `look` is called by one thread at a time. `on_end` comes from the watch's thread, or from one that ends
  /// an Expected; it may take its time.
  SchedulerWatch(Look look, SchedulerEndDetector::IsError is_error, OnEnd on_end, Duration period = kPeriod);
  SchedulerWatch(const SchedulerWatch&) = delete;
  SchedulerWatch& operator=(const SchedulerWatch&) = delete;

  /// While one lives, schedulers go because somebody wanted them to. From any thread; they may overlap. The
  /// watch must outlive it.
  class Expected {
   public:
    explicit Expected(SchedulerWatch& watch) : watch_(&watch) { ++watch.expected_; }
    Expected(const Expected&) = delete;
    Expected& operator=(const Expected&) = delete;
    ~Expected();

   private:
    SchedulerWatch* watch_;
  };

 private:
  void run(const std::stop_token& stop);
  /// `expected`: whether an end is wanted whatever expected_ says.
  void look_once(bool expected);

  Look look_;
  SchedulerEndDetector detector_;
  OnEnd on_end_;
  Duration period_;
  std::mutex mutex_;  ///< looks one at a time
  std::atomic<int> expected_ = 0;
  std::jthread thread_;  ///< last: it uses everything above
};

}  // namespace ktstr::engine
