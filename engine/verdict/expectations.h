// What a scenario expects of its workers and of the monitor. Unset members take the defaults of
// verdict/merge.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"
#include "engine/base/units.h"

namespace ktstr::engine {

/// Monitor thresholds as a scenario overrides them (defaults: introspect/monitor/thresholds.h).
struct MonitorExpectations {
  std::optional<double> max_imbalance_ratio{};
  std::optional<std::uint32_t> max_local_dsq_depth{};
  std::optional<bool> fail_on_stall{};
  std::optional<std::uint32_t> sustained_samples{};
  std::optional<double> max_fallback_rate{};
  std::optional<double> max_keep_last_rate{};

  static consteval auto describe() {
    using T = MonitorExpectations;
    return record(
        "monitor expectations", "thresholds on what the monitor samples",
        field<&T::max_imbalance_ratio>("largest max(nr_running) / max(1, min(nr_running)) that may last"),
        field<&T::max_local_dsq_depth>("largest local DSQ depth that may last, tasks"),
        field<&T::fail_on_stall>("whether a run queue clock that does not advance fails the run"),
        field<&T::sustained_samples>("consecutive samples that make a violation last"),
        field<&T::max_fallback_rate>(
            "largest select_cpu_fallback rate that may last, events/s over all CPUs"),
        field<&T::max_keep_last_rate>(
            "largest dispatch_keep_last rate that may last, events/s over all CPUs"));
  }
};

/// A scheduler's error that the scenario is about: any, or one whose text holds `contains` and matches
/// `matches` (a POSIX extended regular expression, anywhere in it). The text: exit reason and message, then
/// the scheduler's log.
struct SchedulerErrorExpectation {
  std::optional<std::string> contains{};
  std::optional<std::string> matches{};

  static consteval auto describe() {
    using T = SchedulerErrorExpectation;
    return record("scheduler error", "the error that a scheduler must end with",
                  field<&T::contains>("text that its reason, message or log holds"),
                  field<&T::matches>("POSIX extended regular expression that they match"));
  }
};

/// Worker checks. See docs/scenarios.md for what each compares.
struct Expectations {
  std::optional<bool> no_starvation{};
  std::optional<double> max_spread_pct{};
  std::optional<Duration> max_gap{};
  std::optional<bool> isolation{};
  std::optional<double> max_throughput_cv{};
  std::optional<double> min_work_rate{};
  std::optional<Duration> max_p99_wake_latency{};
  std::optional<double> max_wake_latency_cv{};
  std::optional<double> min_iteration_rate{};
  std::optional<double> max_migration_ratio{};
  std::optional<double> max_unfairness_pct{};
  MonitorExpectations monitor{};
  std::optional<SchedulerErrorExpectation> scheduler_error{};
  std::optional<Duration> max_scheduler_gap{};
  std::optional<bool> events_clean{};

  static consteval auto describe() {
    using T = Expectations;
    return record(
        "expect", "what must hold for the scenario to pass",
        field<&T::no_starvation>("every worker must do some work"),
        field<&T::max_spread_pct>("largest difference of off-CPU share between workers of one group, role "
                                  "and affinity, percentage points"),
        field<&T::max_gap>("longest time a worker may go without progress"),
        field<&T::isolation>("workers must stay on the CPUs of their cpuset"),
        field<&T::max_throughput_cv>(
            "largest coefficient of variation of work rates between workers of one group, role and affinity"),
        field<&T::min_work_rate>("smallest work rate of any worker, work units per second of CPU time"),
        field<&T::max_p99_wake_latency>("largest 99th percentile of wake-up latency"),
        field<&T::max_wake_latency_cv>("largest coefficient of variation of wake-up latency"),
        field<&T::min_iteration_rate>(
            "smallest iteration rate of any worker, iterations per second of wall time"),
        field<&T::max_migration_ratio>("largest number of migrations per iteration of any worker"),
        field<&T::max_unfairness_pct>("how far the CPU time of a worker that always wanted to run may lie "
                                      "from the mean of its peers, % of that mean"),
        field<&T::monitor>("thresholds on what the monitor samples"),
        field<&T::scheduler_error>("a scheduler must end with this error; an empty table: with any"),
        field<&T::max_scheduler_gap>(
            "longest time without the wanted scheduler while one takes over from another; 1s by default"),
        field<&T::events_clean>("no sched_ext counter of tasks handled past the scheduler may rise"));
  }
};

}  // namespace ktstr::engine
