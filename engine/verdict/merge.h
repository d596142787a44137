// Limits in force: defaults, then what the scheduler's definition says, then what the scenario says; the last
// one set wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/verdict/expectations.h"
#include "introspect/monitor/thresholds.h"

namespace ktstr::engine {

/// The worker checks of a run. An absent limit is not checked.
struct WorkerLimits {
  bool no_starvation = true;
  double max_spread_pct = 15;
  bool max_spread_stated = false;  ///< a default makes allowance for loads that can't be divided evenly
  Duration max_gap = std::chrono::seconds(2);
  bool isolation = false;
  std::optional<double> max_throughput_cv{};
  std::optional<double> min_work_rate{};
  std::optional<Duration> max_p99_wake_latency{};
  std::optional<double> max_wake_latency_cv{};
  std::optional<double> min_iteration_rate{};
  std::optional<double> max_migration_ratio{};
  double max_unfairness_pct = 50;
  Duration blur{};

  static consteval auto describe() {
    using T = WorkerLimits;
    return record(
        "the worker checks in force", field<&T::no_starvation>("every worker must do some work"),
        field<&T::max_spread_pct>("largest spread of off-CPU share within a group, percentage points"),
        field<&T::max_spread_stated>(
            "whether the scenario states it: the default allows for loads that CPUs can't share evenly"),
        field<&T::max_gap>("longest time a worker may go without progress"),
        field<&T::isolation>("workers must stay on the CPUs of their cpuset"),
        field<&T::max_throughput_cv>("largest coefficient of variation of work rates within a group"),
        field<&T::min_work_rate>("smallest work rate, units per second of CPU time"),
        field<&T::max_p99_wake_latency>("largest 99th percentile of wake-up latency"),
        field<&T::max_wake_latency_cv>("largest coefficient of variation of wake-up latency"),
        field<&T::min_iteration_rate>("smallest iteration rate, iterations per second of wall time"),
        field<&T::max_migration_ratio>("largest number of migrations per iteration"),
        field<&T::max_unfairness_pct>("how far a worker's CPU time may lie from the mean of its peers that "
                                      "always wanted to run as well, % of that mean"),
        field<&T::blur>("CPU time that the emulator may have made the guest charge to the wrong worker"));
  }
};

/// `over` laid on `base`: each member that `over` sets replaces the one of `base`.
[[nodiscard]] Expectations overlay(Expectations base, const Expectations& over);

/// The worker limits in force, on a machine with `emulated_cpus` CPUs that an emulator runs in turn (0:
/// none). Emulation stretches max_gap by kEmulationFactor unless `expectations` states it; a stated limit is
/// always taken as it is.
[[nodiscard]] WorkerLimits worker_limits(const Expectations& expectations, std::size_t emulated_cpus);

/// Names of the limits that `expectations` states, as a scenario spells them ("monitor.sustained_samples").
[[nodiscard]] std::vector<std::string> stated_limits(const Expectations& expectations);

/// Names of the defaults that emulation stretches: those that depend on time and are not stated.
[[nodiscard]] std::vector<std::string> stretched_limits(const Expectations& expectations);

/// How long one scheduler may take to take over from another. As above: the default is stretched by the one
/// factor, a stated limit is taken as it is.
inline constexpr Duration kMaxSchedulerGap = std::chrono::seconds(1);
[[nodiscard]] Duration scheduler_gap_limit(const Expectations& expectations, bool emulated);

/// The monitor's thresholds in force: as above, over introspect's defaults. How long a violation must last
/// (sustained_samples) is the one default that depends on time.
[[nodiscard]] introspect::MonitorThresholds monitor_thresholds(const Expectations& expectations,
                                                               bool emulated);

}  // namespace ktstr::engine
