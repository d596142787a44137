// MonitorSummary: a run's samples in a few numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/base/describe.h"
#include "introspect/monitor/sample_series.h"

namespace ktstr::introspect {

/// sched_ext events over the whole run and all CPUs: the sum of event_increase() over the series. Schedulers
/// that were replaced contribute what they had counted by their last sample. Absent: the kernel lacks the
/// counter. A rate is absent when fewer than two samples have counters.
template <class Indices>
struct EventDeltasOf;
template <std::size_t... Index>
struct EventDeltasOf<std::index_sequence<Index...>> : EventNumber<Index>... {
  std::optional<double> fallback_rate;
  std::optional<std::int64_t> max_fallback_burst;
  std::optional<double> keep_last_rate;
  std::map<std::string, std::int64_t> total_other;

  static consteval auto describe() {
    using T = EventDeltasOf;
    return record("ScxEventDeltas", "sched_ext events over the run, all CPUs",
                  detail::event_field<T, Index>(kKnownEvents[Index].total)...,
                  field<&T::fallback_rate>("select_cpu_fallback events per second"),
                  field<&T::max_fallback_burst>("most select_cpu_fallback events between two samples"),
                  field<&T::keep_last_rate>("dispatch_keep_last events per second"),
                  field<&T::total_other>("further events, by the kernel's name"));
  }
};
using ScxEventDeltas = EventDeltasOf<KnownEventIndices>;

/// Schedstat counters over the whole run and all CPUs: from the first to the last sample that has the
/// counter. A counter that shrank counts as 0. Rates are absent when only one sample has the counter.
struct SchedstatDeltas {
  std::uint64_t total_run_delay = 0;
  std::optional<double> run_delay_rate;
  std::uint64_t total_pcount = 0;
  std::optional<std::uint64_t> total_sched_count;
  std::optional<double> sched_count_rate;
  std::optional<std::uint64_t> total_yld_count;
  std::optional<std::uint64_t> total_sched_goidle;
  std::optional<std::uint64_t> total_ttwu_count;
  std::optional<std::uint64_t> total_ttwu_local;

  static consteval auto describe() {
    using T = SchedstatDeltas;
    return record("schedstat counters over the run, all CPUs",
                  field<&T::total_run_delay>("time that tasks waited on run queues, ns"),
                  field<&T::run_delay_rate>("waiting time per second, ns/s"),
                  field<&T::total_pcount>("times a task was put on a CPU"),
                  field<&T::total_sched_count>("calls of schedule()"),
                  field<&T::sched_count_rate>("calls of schedule() per second"),
                  field<&T::total_yld_count>("calls of sched_yield()"),
                  field<&T::total_sched_goidle>("calls of schedule() that left a CPU idle"),
                  field<&T::total_ttwu_count>("wakeups"),
                  field<&T::total_ttwu_local>("wakeups of tasks that then ran on the waking CPU"));
  }
};

/// Samples without CPUs and implausible ones count in total_samples and nowhere else; a number that no sample
/// can give is absent. stall_detected needs no sustained window: one stalled sample of one CPU is enough.
struct MonitorSummary {
  std::size_t total_samples = 0;
  std::optional<double> max_imbalance_ratio;
  std::optional<std::uint32_t> max_local_dsq_depth;
  std::optional<bool> stall_detected;
  std::optional<double> avg_imbalance_ratio;
  std::optional<double> avg_nr_running;
  std::optional<double> avg_local_dsq_depth;
  std::optional<ScxEventDeltas> event_deltas;
  std::optional<SchedstatDeltas> schedstat_deltas;

  static consteval auto describe() {
    using T = MonitorSummary;
    return record(
        "the samples of a run in a few numbers", field<&T::total_samples>("samples taken"),
        field<&T::max_imbalance_ratio>("largest max(nr_running) / max(1, min(nr_running)); at least 1"),
        field<&T::max_local_dsq_depth>("deepest local DSQ of any CPU, tasks"),
        field<&T::stall_detected>(
            "whether a run queue clock stood still between two samples of a CPU with runnable tasks"),
        field<&T::avg_imbalance_ratio>("mean imbalance ratio of the samples"),
        field<&T::avg_nr_running>("mean runnable tasks per CPU"),
        field<&T::avg_local_dsq_depth>("mean depth of the local DSQs, tasks"),
        field<&T::event_deltas>("sched_ext events over the run"),
        field<&T::schedstat_deltas>("schedstat counters over the run"));
  }
};

/// `stall_threshold_ns`: see is_cpu_stalled(). `other_event_names`: names of ScxEventCounters::other, which
/// become the keys of total_other.
[[nodiscard]] MonitorSummary summarize(const SampleSeries& samples, std::uint64_t stall_threshold_ns,
                                       std::span<const std::string> other_event_names = {});

/// The parts of summarize(). Absent when no sample has such counters on any CPU.
[[nodiscard]] std::optional<ScxEventDeltas> event_deltas(const SampleSeries& samples,
                                                         std::span<const std::string> other_event_names);
[[nodiscard]] std::optional<SchedstatDeltas> schedstat_deltas(const SampleSeries& samples);

}  // namespace ktstr::introspect
