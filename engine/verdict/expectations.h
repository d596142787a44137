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
};

/// A scheduler's error that the scenario is about: any, or one whose text holds `contains` and matches
/// `matches` (a POSIX extended regular expression, anywhere in it). The text: exit reason and message, then
/// the scheduler's log.
struct SchedulerErrorExpectation {
  std::optional<std::string> contains{};
  std::optional<std::string> matches{};
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
  MonitorExpectations monitor{};
  std::optional<SchedulerErrorExpectation> scheduler_error{};
  std::optional<Duration> max_scheduler_gap{};
  std::optional<bool> events_clean{};
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::MonitorExpectations> = record<engine::MonitorExpectations>("monitor expectations", "thresholds on what the monitor samples",
    field("max_imbalance_ratio", &engine::MonitorExpectations::max_imbalance_ratio, "largest max(nr_running) / max(1, min(nr_running)) that may last"),
    field("max_local_dsq_depth", &engine::MonitorExpectations::max_local_dsq_depth, "largest local DSQ depth that may last, tasks"),
    field("fail_on_stall", &engine::MonitorExpectations::fail_on_stall, "whether a run queue clock that stands still fails the run"),
    field("sustained_samples", &engine::MonitorExpectations::sustained_samples, "consecutive samples that make a violation last"),
    field("max_fallback_rate", &engine::MonitorExpectations::max_fallback_rate, "largest select_cpu_fallback rate that may last, events/s over all CPUs"),
    field("max_keep_last_rate", &engine::MonitorExpectations::max_keep_last_rate, "largest dispatch_keep_last rate that may last, events/s over all CPUs"));
template <> inline constexpr auto describe<engine::SchedulerErrorExpectation> = record<engine::SchedulerErrorExpectation>("scheduler error", "the error that a scheduler must end with",
    field("contains", &engine::SchedulerErrorExpectation::contains, "text that its reason, message or log holds"),
    field("matches", &engine::SchedulerErrorExpectation::matches, "POSIX extended regular expression that they match"));
template <> inline constexpr auto describe<engine::Expectations> = record<engine::Expectations>("expect", "what must hold for the scenario to pass",
    field("no_starvation", &engine::Expectations::no_starvation, "every worker must do some work"),
    field("max_spread_pct", &engine::Expectations::max_spread_pct, "largest difference of off-CPU share between the workers of a cgroup, percentage points"),
    field("max_gap", &engine::Expectations::max_gap, "longest time a worker may go without progress"),
    field("isolation", &engine::Expectations::isolation, "workers must stay on the CPUs of their cpuset"),
    field("max_throughput_cv", &engine::Expectations::max_throughput_cv, "largest coefficient of variation of work rates within a cgroup"),
    field("min_work_rate", &engine::Expectations::min_work_rate, "smallest work rate of any worker, work units per second of CPU time"),
    field("max_p99_wake_latency", &engine::Expectations::max_p99_wake_latency, "largest 99th percentile of wake-up latency"),
    field("max_wake_latency_cv", &engine::Expectations::max_wake_latency_cv, "largest coefficient of variation of wake-up latency"),
    field("min_iteration_rate", &engine::Expectations::min_iteration_rate, "smallest iteration rate of any worker, iterations per second of wall time"),
    field("max_migration_ratio", &engine::Expectations::max_migration_ratio, "largest number of migrations per iteration of any worker"),
    field("monitor", &engine::Expectations::monitor, "thresholds on what the monitor samples"),
    field("scheduler_error", &engine::Expectations::scheduler_error, "a scheduler must end with this error; an empty table: with any"),
    field("max_scheduler_gap", &engine::Expectations::max_scheduler_gap, "longest time without the wanted scheduler while one takes over from another; 1s by default"),
    field("events_clean", &engine::Expectations::events_clean, "no sched_ext event counter that tells of a task handled past the scheduler may rise"));
// clang-format on
}  // namespace ktstr
