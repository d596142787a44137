// SchedulerWatch: a thread that looks at the root scheduler and calls when it ended unasked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/dump/origin.h"
#include "introspect/scx/exit_reader.h"

namespace ktstr::engine {

/// Why a dump is due. `detail` is one line.
struct SchedulerEnd {
  introspect::DumpCause cause = introspect::DumpCause::kSchedulerError;
  std::string detail;
  std::chrono::steady_clock::time_point seen_at{};  ///< the look that saw it
};

/// Tells from looks at the root scheduler whether one ended that nobody had ended; each end once. Not
/// thread-safe.
class SchedulerEndDetector {
 public:
  using IsError = std::function<bool(std::uint32_t kind)>;
  explicit SchedulerEndDetector(IsError is_error) : is_error_(std::move(is_error)) {}

  /// One look. nullopt in `root`: no scheduler is loaded. `expected`: somebody is ending a scheduler, so that
  /// its going is no news; an error is, even then.
  [[nodiscard]] std::optional<SchedulerEnd> look(const std::optional<introspect::ScxExitKind>& root,
                                                 bool expected);

 private:
  [[nodiscard]] SchedulerEnd error(const introspect::ScxExitKind& root);
  [[nodiscard]] static SchedulerEnd vanished(std::string detail);

  IsError is_error_;
  std::optional<KernelVirt> running_;  ///< the scheduler that ran at the last look, its end not reported
  std::optional<KernelVirt> told_;     ///< a scheduler whose end was reported and that is still the root
};

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
