// What a scenario expects of its workers and of the monitor, and the limits in force that follow: defaults,
// then what the scheduler's definition says, then what the scenario says; the last one set wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "introspect/monitor/thresholds.h"

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

/// Factor on every default limit on how long something may last, when the machine is emulated. Limits that a
/// scenario states are never touched; the report names those that were stretched.
///
/// QEMU's single-threaded TCG runs the vCPUs in turn on one host thread, each until a timer of any of them
/// fires (4 ms at CONFIG_HZ=250) and for 100 ms at most (its kick period), while the guest's clocks follow
/// the host's. A guest task that is "running" therefore makes no progress while the other vCPUs have their
/// turns: with n vCPUs it can lose (n - 1) x 100 ms at once. Gaps and standing run queue clocks of that size
/// are the emulator's. At 4, the default window of 5 samples x 100 ms becomes 2 s, which covers 20 vCPUs, and
/// the default gap becomes 8 s.
inline constexpr double kEmulationFactor = 4;

/// CPU time that the guest may have charged to the wrong one of two workers that ran in turns, over a whole
/// run: what a vCPU lost while the others had their turns is charged to whatever task it had on it. A
/// scheduler that goes by CPU time makes up for it, to within one such loss; `cpus`: those that run in turn,
/// 0 on hardware.
[[nodiscard]] inline Duration emulation_blur(std::size_t cpus) {
  constexpr Duration kTurn = std::chrono::milliseconds(100);
  return cpus < 2 ? Duration{} : Duration(static_cast<std::int64_t>(cpus - 1) * kTurn.ns);
}

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
