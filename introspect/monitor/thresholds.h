// MonitorThresholds: what the samples of a run must not show for long, and the verdict on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/monitor/kernel_hz.h"
#include "introspect/monitor/sample_series.h"

namespace ktstr::introspect {

/// The longest run of consecutive violations. Feed it every sample in order. One rule serves a verdict after
/// the run and a reaction during it, so that "sustained for N samples" means the same to both.
template <class Value>
class SustainedViolationTracker {
 public:
  /// `value`: the metric at sample `at`. True when this sample made the longest run so far.
  bool record(bool violated, Value value, std::size_t at) {
    consecutive_ = violated ? consecutive_ + 1 : 0;
    if (consecutive_ <= worst_run_) return false;
    worst_run_ = consecutive_;
    worst_value_ = value;
    worst_at_ = at;
    return true;
  }

  /// Whether the longest run has at least `samples` violations. 0 is met by every series.
  [[nodiscard]] bool sustained(std::size_t samples) const { return worst_run_ >= samples; }

  /// Length of the run of violations that the last record() belongs to; 0 after a sample that met the
  /// threshold.
  [[nodiscard]] std::size_t consecutive() const { return consecutive_; }
  [[nodiscard]] std::size_t worst_run() const { return worst_run_; }
  /// The metric at the last sample of the longest run (the first such run): not the largest value in it.
  [[nodiscard]] Value worst_value() const { return worst_value_; }
  /// The index of that sample.
  [[nodiscard]] std::size_t worst_at() const { return worst_at_; }

 private:
  std::size_t consecutive_ = 0;
  std::size_t worst_run_ = 0;
  Value worst_value_{};
  std::size_t worst_at_ = 0;
};

/// A violation fails the run when it lasts for sustained_samples consecutive samples: 500 ms at the default
/// period, which the transients of changing cpusets, making cgroups and restarting schedulers stay under.
/// - imbalance: below 4 the transients of cpuset changes would trip it;
/// - DSQ depth: a local DSQ is consumed by its own CPU alone, 50 waiting tasks are not being dispatched;
/// - fallback and keep_last rates, over all CPUs: the scheduler regularly names unusable CPUs, or dispatches
/// nothing.
struct MonitorThresholds {
  double max_imbalance_ratio = 4.0;
  std::uint32_t max_local_dsq_depth = 50;
  bool fail_on_stall = true;
  std::uint32_t sustained_samples = 5;
  double max_fallback_rate = 200.0;
  double max_keep_last_rate = 100.0;

  static consteval auto describe() {
    using T = MonitorThresholds;
    return record("what the samples must not show for long",
                  field<&T::max_imbalance_ratio>("largest max(nr_running) / max(1, min(nr_running))"),
                  field<&T::max_local_dsq_depth>("deepest local DSQ, tasks"),
                  field<&T::fail_on_stall>("whether a run queue clock that does not advance fails the run"),
                  field<&T::sustained_samples>("consecutive samples that make a violation last"),
                  field<&T::max_fallback_rate>("select_cpu_fallback events/s over all CPUs"),
                  field<&T::max_keep_last_rate>("dispatch_keep_last events/s over all CPUs"));
  }
};

/// What is known of the machine that ran.
struct EvaluationOptions {
  /// From KernelHz::preemption_threshold().
  Duration preemption_threshold = KernelHz{}.preemption_threshold();
  /// How many times longer a run queue clock may stand still. More than 1 for an emulator that runs all vCPUs
  /// in turn on one host thread: no CPU time tells a vCPU that waits for its turn from a stalled one.
  double emulation_factor = 1.0;

  /// The product, for is_cpu_stalled() and summarize(). A factor below 1 counts as 1.
  [[nodiscard]] std::uint64_t stall_threshold_ns() const;
};

/// `evaluated` is false when the samples could not be judged: there are none, or they hold memory that the
/// kernel had not written. `passed` is true then, as nothing was violated; a caller for whom "not judged" is
/// no pass looks at both.
struct MonitorVerdict {
  bool passed = true;
  bool evaluated = true;
  std::vector<std::string> details;
  std::string summary;  ///< "monitor OK", "monitor FAILED: N violation(s)", "no monitor samples" or "monitor
                        ///< data not yet initialized"

  static consteval auto describe() {
    using T = MonitorVerdict;
    return record("the samples judged against the thresholds",
                  field<&T::passed>("no threshold was violated for long"),
                  field<&T::evaluated>("whether the samples could be judged"),
                  field<&T::details>("one sentence per violation"), field<&T::summary>("one line"));
  }
};

/// Judges a run's samples, in order. Rates are per interval between neighbouring samples; see
/// event_increase() for what happens when the scheduler is replaced. An interval of no length and one without
/// counters violate no rate. sustained_samples 0 counts as 1.
[[nodiscard]] MonitorVerdict evaluate(const SampleSeries& samples, const MonitorThresholds& thresholds,
                                      const EvaluationOptions& options = {});

}  // namespace ktstr::introspect
