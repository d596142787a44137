// EventCounterSample: the sched_ext event counters of the whole guest at one instant, and their course as
// text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/monitor/sample_series.h"

namespace ktstr::introspect {

/// Each counter summed over the CPUs of one monitor sample, saturating; cumulative since the scheduler was
/// loaded. Absent: this kernel does not count it.
template <class Indices>
struct EventCounterSampleOf;
template <std::size_t... Index>
struct EventCounterSampleOf<std::index_sequence<Index...>> : EventNumber<Index>... {
  std::uint64_t elapsed_ms = 0;
  std::optional<std::uint32_t> scheduler_instance;  ///< counters of different schedulers do not compare
  std::optional<std::map<std::string, std::int64_t>> other;

  static consteval auto describe() {
    using T = EventCounterSampleOf;
    return record("EventCounterSample",
                  "sched_ext events of all CPUs at one instant, since the scheduler was loaded",
                  field<&T::elapsed_ms>("time since the machine's start, ms"),
                  detail::event_field<T, Index>(kKnownEvents[Index].name)...,
                  field<&T::scheduler_instance>("which loaded scheduler they belong to"),
                  field<&T::other>("further counters, by the kernel's name"));
  }
};
using EventCounterSample = EventCounterSampleOf<KnownEventIndices>;

/// nullopt when no CPU of the sample has counters (no scheduler loaded): that is no row of zeros.
/// `other_event_names`: names of ScxEventCounters::other.
[[nodiscard]] std::optional<EventCounterSample> event_totals(
    const MonitorSample& sample, std::span<const std::string> other_event_names = {});

/// The samples that have counters, in order.
[[nodiscard]] std::vector<EventCounterSample> event_timeline(
    const SampleSeries& samples, std::span<const std::string> other_event_names = {});

/// A line for each counter that is above 0 somewhere: name, sparkline, first and last value. "" when there is
/// none. A row is at most `width` glyphs wide: longer timelines show the last value of each of `width` equal
/// parts.
[[nodiscard]] std::string render_event_timeline(std::span<const EventCounterSample> timeline,
                                                std::size_t width = 60);

/// One of the eight block characters (UTF-8) for each value, scaled from the least to the greatest. Values
/// that are all the same give the fifth of them, all zeros the lowest; "" for no values.
[[nodiscard]] std::string render_sparkline(std::span<const std::uint64_t> values);
/// The same; a negative value counts as 0.
[[nodiscard]] std::string render_sparkline(std::span<const std::int64_t> values);

}  // namespace ktstr::introspect
