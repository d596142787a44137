// EventCounterSample: the sched_ext event counters of the whole guest at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/monitor/sample_series.h"

namespace ktstr::introspect {

/// Each counter summed over the CPUs of one monitor sample, saturating; cumulative since the scheduler was
/// loaded. Absent: this kernel does not count it.
struct EventCounterSample {
  std::uint64_t elapsed_ms = 0;
  std::optional<std::int64_t> select_cpu_fallback;
  std::optional<std::int64_t> dispatch_local_dsq_offline;
  std::optional<std::int64_t> dispatch_keep_last;
  std::optional<std::int64_t> enq_skip_exiting;
  std::optional<std::int64_t> enq_skip_migration_disabled;
  std::optional<std::int64_t> reenq_immed;
  std::optional<std::int64_t> reenq_local_repeat;
  std::optional<std::int64_t> refill_slice_dfl;
  std::optional<std::int64_t> bypass_duration;
  std::optional<std::int64_t> bypass_dispatch;
  std::optional<std::int64_t> bypass_activate;
  std::optional<std::int64_t> insert_not_owned;
  std::optional<std::int64_t> sub_bypass_dispatch;
  std::optional<std::uint32_t> scheduler_instance;  ///< counters of different schedulers do not compare

  /// nullopt when no CPU of the sample has counters (no scheduler loaded): that is no row of zeros.
  [[nodiscard]] static std::optional<EventCounterSample> from_monitor_sample(const MonitorSample& sample);
};

/// The samples that have counters, in order.
[[nodiscard]] std::vector<EventCounterSample> event_timeline(const SampleSeries& samples);

/// A line for each counter that is above 0 somewhere: name, sparkline, first and last value. "" when there is
/// none. A row is at most `width` glyphs wide: longer timelines show the last value of each of `width` equal
/// parts.
[[nodiscard]] std::string render_event_timeline(std::span<const EventCounterSample> timeline,
                                                std::size_t width = 60);

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::EventCounterSample> = [] {
  using T = introspect::EventCounterSample;
  return record<T>(
      "EventCounterSample", "sched_ext events of all CPUs at one instant, since the scheduler was loaded",
      field("elapsed_ms", &T::elapsed_ms, "time since the machine's start, ms"),
      field("select_cpu_fallback", &T::select_cpu_fallback, "the chosen CPU was not allowed"),
      field("dispatch_local_dsq_offline", &T::dispatch_local_dsq_offline, "dispatches to an offline CPU"),
      field("dispatch_keep_last", &T::dispatch_keep_last, "a task ran on for want of another"),
      field("enq_skip_exiting", &T::enq_skip_exiting, "exiting tasks that went past ops.enqueue()"),
      field("enq_skip_migration_disabled", &T::enq_skip_migration_disabled,
            "tasks with migration disabled that went past ops.enqueue()"),
      field("reenq_immed", &T::reenq_immed, "tasks taken back for they could not run at once"),
      field("reenq_local_repeat", &T::reenq_local_repeat, "tasks taken back again and again"),
      field("refill_slice_dfl", &T::refill_slice_dfl, "slices refilled with the default"),
      field("bypass_duration", &T::bypass_duration, "time in bypass mode, ns"),
      field("bypass_dispatch", &T::bypass_dispatch, "tasks dispatched in bypass mode"),
      field("bypass_activate", &T::bypass_activate, "times that bypass mode was entered"),
      field("insert_not_owned", &T::insert_not_owned, "insertions of tasks that the scheduler did not own"),
      field("sub_bypass_dispatch", &T::sub_bypass_dispatch, "tasks of bypassed sub-schedulers dispatched"),
      field("scheduler_instance", &T::scheduler_instance, "which loaded scheduler they belong to"));
}();
}  // namespace ktstr
