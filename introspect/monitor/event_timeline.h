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

  static consteval auto describe() {
    using T = EventCounterSample;
    return record(
        "sched_ext events of all CPUs at one instant, since the scheduler was loaded",
        field<&T::elapsed_ms>("time since the machine's start, ms"),
        field<&T::select_cpu_fallback>("the chosen CPU was not allowed"),
        field<&T::dispatch_local_dsq_offline>("dispatches to an offline CPU"),
        field<&T::dispatch_keep_last>("a task ran on for want of another"),
        field<&T::enq_skip_exiting>("exiting tasks that went past ops.enqueue()"),
        field<&T::enq_skip_migration_disabled>("tasks with migration disabled that went past ops.enqueue()"),
        field<&T::reenq_immed>("tasks taken back for they could not run at once"),
        field<&T::reenq_local_repeat>("tasks taken back again and again"),
        field<&T::refill_slice_dfl>("slices refilled with the default"),
        field<&T::bypass_duration>("time in bypass mode, ns"),
        field<&T::bypass_dispatch>("tasks dispatched in bypass mode"),
        field<&T::bypass_activate>("times that bypass mode was entered"),
        field<&T::insert_not_owned>("insertions of tasks that the scheduler did not own"),
        field<&T::sub_bypass_dispatch>("tasks of bypassed sub-schedulers dispatched"),
        field<&T::scheduler_instance>("which loaded scheduler they belong to"));
  }
};

/// The samples that have counters, in order.
[[nodiscard]] std::vector<EventCounterSample> event_timeline(const SampleSeries& samples);

/// A line for each counter that is above 0 somewhere: name, sparkline, first and last value. "" when there is
/// none. A row is at most `width` glyphs wide: longer timelines show the last value of each of `width` equal
/// parts.
[[nodiscard]] std::string render_event_timeline(std::span<const EventCounterSample> timeline,
                                                std::size_t width = 60);

}  // namespace ktstr::introspect
