#include "introspect/monitor/thresholds.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/sample.h"
#include "introspect/monitor/stall.h"

namespace ktstr::introspect {
namespace {

struct DeepestDsq {
  std::uint32_t depth = 0;
  std::size_t cpu = 0;
};

DeepestDsq deepest_dsq(const MonitorSample& sample) {
  DeepestDsq deepest;
  for (std::size_t cpu = 0; cpu < sample.cpus.size(); ++cpu) {
    if (sample.is_offline(cpu)) continue;
    const auto depth = sample.cpus[cpu].local_dsq_depth.value_or(0);
    if (depth > deepest.depth) deepest = {depth, cpu};
  }
  return deepest;
}

std::optional<double> interval_rate(const MonitorSample& before, const MonitorSample& now,
                                    EventCounter counter) {
  const auto increase = event_increase(before, now, counter);
  if (!increase) return std::nullopt;
  return rate_per_second(static_cast<double>(*increase), counter_delta(now.elapsed_ns, before.elapsed_ns));
}

/// The rate of one event, between neighbouring samples.
struct RateCheck {
  EventCounter counter;
  std::string_view name;
  double limit;
  SustainedViolationTracker<double> tracker{};
};

/// All checks of a series, in one walk over it.
class Checks {
 public:
  Checks(const MonitorThresholds& limits, const EvaluationOptions& options)
      : limits_(limits),
        stall_watch_(options.stall_threshold_ns()),
        rates_{{{"select_cpu_fallback", "fallback", limits.max_fallback_rate},
                {"dispatch_keep_last", "keep_last", limits.max_keep_last_rate}}} {}

  void add(const MonitorSample& sample) {
    plausibility_.add(sample);
    const double imbalance = sample.cpus.empty() ? 0.0 : sample.imbalance_ratio();
    imbalance_.record(imbalance > limits_.max_imbalance_ratio, imbalance, samples_);
    const auto deepest = deepest_dsq(sample);
    dsq_depth_.record(deepest.depth > limits_.max_local_dsq_depth, deepest, samples_);
    add_stalls(sample);
    if (samples_ > 0) add_rates(sample);
    before_ = sample;
    ++samples_;
  }

  [[nodiscard]] bool are_plausible() const { return plausibility_.are_plausible(); }
  [[nodiscard]] std::vector<std::string> violations() const;

 private:
  void add_stalls(const MonitorSample& sample) {
    if (stalls_.size() < sample.cpus.size()) stalls_.resize(sample.cpus.size());
    if (!stall_watch_.add(sample)) return;
    for (std::size_t cpu = 0; cpu < stall_watch_.cpus(); ++cpu)
      stalls_[cpu].record(stall_watch_.is_stalled(cpu), sample.cpus[cpu].rq_clock, samples_);
  }
  void add_rates(const MonitorSample& sample) {
    for (auto& [counter, name, limit, tracker] : rates_) {
      const auto rate = interval_rate(before_, sample, counter);
      tracker.record(rate && *rate > limit, rate.value_or(0.0), samples_);
    }
  }

  MonitorThresholds limits_;
  PlausibilityWatch plausibility_;
  SustainedViolationTracker<double> imbalance_;
  SustainedViolationTracker<DeepestDsq> dsq_depth_;
  StallWatch stall_watch_;
  std::vector<SustainedViolationTracker<std::uint64_t>> stalls_;  ///< by CPU
  std::array<RateCheck, 2> rates_;
  MonitorSample before_;
  std::size_t samples_ = 0;
};

std::vector<std::string> Checks::violations() const {
  const std::size_t window = std::max<std::uint32_t>(1, limits_.sustained_samples);
  std::vector<std::string> details;
  if (imbalance_.sustained(window))
    details.push_back(fmt::format(
        "imbalance ratio {:.1f} exceeded threshold {:.1f} for {} consecutive samples (ending at sample {})",
        imbalance_.worst_value(), limits_.max_imbalance_ratio, imbalance_.worst_run(),
        imbalance_.worst_at()));
  if (dsq_depth_.sustained(window))
    details.push_back(
        fmt::format("local DSQ depth {} on cpu{} exceeded threshold {} for {} consecutive samples (ending "
                    "at sample {})",
                    dsq_depth_.worst_value().depth, dsq_depth_.worst_value().cpu, limits_.max_local_dsq_depth,
                    dsq_depth_.worst_run(), dsq_depth_.worst_at()));
  for (std::size_t cpu = 0; limits_.fail_on_stall && cpu < stalls_.size(); ++cpu)
    if (const auto& stall = stalls_[cpu]; stall.sustained(window))
      details.push_back(
          fmt::format("rq_clock stall on cpu{} for {} consecutive samples (ending at sample {}, clock={})",
                      cpu, stall.worst_run(), stall.worst_at(), stall.worst_value()));
  for (const auto& [counter, name, limit, tracker] : rates_)
    if (tracker.sustained(window))
      details.push_back(fmt::format(
          "{} rate {:.1f}/s exceeded threshold {:.1f}/s for {} consecutive intervals (ending at sample {})",
          name, tracker.worst_value(), limit, tracker.worst_run(), tracker.worst_at()));
  return details;
}

}  // namespace

std::uint64_t EvaluationOptions::stall_threshold_ns() const {
  const double factor = emulation_factor > 1.0 ? emulation_factor : 1.0;
  const double ns = static_cast<double>(std::max<std::int64_t>(0, preemption_threshold.ns)) * factor;
  return static_cast<std::uint64_t>(std::min(ns, 1e18));
}

MonitorVerdict evaluate(const SampleSeries& samples, const MonitorThresholds& thresholds,
                        const EvaluationOptions& options) {
  if (samples.empty()) return {true, false, {}, "no monitor samples"};
  Checks checks(thresholds, options);
  for (const auto& sample : samples) checks.add(sample);
  if (!checks.are_plausible()) return {true, false, {}, "monitor data not yet initialized"};

  MonitorVerdict verdict;
  verdict.details = checks.violations();
  verdict.passed = verdict.details.empty();
  verdict.summary =
      verdict.passed ? "monitor OK" : fmt::format("monitor FAILED: {} violation(s)", verdict.details.size());
  return verdict;
}

}  // namespace ktstr::introspect
