#include "introspect/monitor/thresholds.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/sample.h"
#include "introspect/monitor/stall.h"
#include "introspect/monitor/sustained.h"

namespace ktstr::introspect {
namespace {

using Details = std::vector<std::string>;

class ImbalanceCheck {
 public:
  explicit ImbalanceCheck(double limit) : limit_(limit) {}

  void add(const MonitorSample& sample, std::size_t index) {
    const double ratio = sample.cpus.empty() ? 0.0 : sample.imbalance_ratio();
    tracker_.record(ratio > limit_, ratio, index);
  }
  void judge(std::size_t window, Details& details) const {
    if (tracker_.sustained(window))
      details.push_back(fmt::format(
          "imbalance ratio {:.1f} exceeded threshold {:.1f} for {} consecutive samples (ending at sample {})",
          tracker_.worst_value(), limit_, tracker_.worst_run(), tracker_.worst_at()));
  }

 private:
  double limit_;
  SustainedViolationTracker<double> tracker_;
};

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

class DsqDepthCheck {
 public:
  explicit DsqDepthCheck(std::uint32_t limit) : limit_(limit) {}

  void add(const MonitorSample& sample, std::size_t index) {
    const auto deepest = deepest_dsq(sample);
    tracker_.record(deepest.depth > limit_, deepest, index);
  }
  void judge(std::size_t window, Details& details) const {
    if (tracker_.sustained(window))
      details.push_back(
          fmt::format("local DSQ depth {} on cpu{} exceeded threshold {} for {} consecutive samples (ending "
                      "at sample {})",
                      tracker_.worst_value().depth, tracker_.worst_value().cpu, limit_, tracker_.worst_run(),
                      tracker_.worst_at()));
  }

 private:
  std::uint32_t limit_;
  SustainedViolationTracker<DeepestDsq> tracker_;
};

class StallCheck {
 public:
  explicit StallCheck(std::uint64_t threshold_ns) : watch_(threshold_ns) {}

  void add(const MonitorSample& sample, std::size_t index) {
    if (trackers_.size() < sample.cpus.size()) trackers_.resize(sample.cpus.size());
    if (!watch_.add(sample)) return;
    for (std::size_t cpu = 0; cpu < watch_.cpus(); ++cpu)
      trackers_[cpu].record(watch_.is_stalled(cpu), sample.cpus[cpu].rq_clock, index);
  }
  void judge(std::size_t window, Details& details) const {
    for (std::size_t cpu = 0; cpu < trackers_.size(); ++cpu)
      if (const auto& tracker = trackers_[cpu]; tracker.sustained(window))
        details.push_back(
            fmt::format("rq_clock stall on cpu{} for {} consecutive samples (ending at sample {}, clock={})",
                        cpu, tracker.worst_run(), tracker.worst_at(), tracker.worst_value()));
  }

 private:
  StallWatch watch_;
  std::vector<SustainedViolationTracker<std::uint64_t>> trackers_;  ///< by CPU
};

std::optional<double> interval_rate(const MonitorSample& before, const MonitorSample& now,
                                    EventCounter counter) {
  const auto increase = event_increase(before, now, counter);
  if (!increase) return std::nullopt;
  return rate_per_second(static_cast<double>(*increase), counter_delta(now.elapsed_ns, before.elapsed_ns));
}

class RateCheck {
 public:
  RateCheck(EventCounter counter, std::string_view name, double limit)
      : counter_(counter), name_(name), limit_(limit) {}

  void add(const MonitorSample& before, const MonitorSample& now, std::size_t index) {
    const auto rate = interval_rate(before, now, counter_);
    tracker_.record(rate && *rate > limit_, rate.value_or(0.0), index);
  }
  void judge(std::size_t window, Details& details) const {
    if (tracker_.sustained(window))
      details.push_back(fmt::format(
          "{} rate {:.1f}/s exceeded threshold {:.1f}/s for {} consecutive intervals (ending at sample {})",
          name_, tracker_.worst_value(), limit_, tracker_.worst_run(), tracker_.worst_at()));
  }

 private:
  EventCounter counter_;
  std::string_view name_;
  double limit_;
  SustainedViolationTracker<double> tracker_;
};

/// All checks of a series, in one walk over it.
class Checks {
 public:
  Checks(const MonitorThresholds& thresholds, const EvaluationOptions& options)
      : thresholds_(thresholds),
        imbalance_(thresholds.max_imbalance_ratio),
        dsq_depth_(thresholds.max_local_dsq_depth),
        stalls_(options.stall_threshold_ns()),
        fallback_("select_cpu_fallback", "fallback", thresholds.max_fallback_rate),
        keep_last_("dispatch_keep_last", "keep_last", thresholds.max_keep_last_rate) {}

  void add(const MonitorSample& sample) {
    plausibility_.add(sample);
    imbalance_.add(sample, samples_);
    dsq_depth_.add(sample, samples_);
    stalls_.add(sample, samples_);
    if (samples_ > 0) {
      fallback_.add(before_, sample, samples_);
      keep_last_.add(before_, sample, samples_);
    }
    before_ = sample;
    ++samples_;
  }

  [[nodiscard]] bool are_plausible() const { return plausibility_.are_plausible(); }
  [[nodiscard]] Details violations() const {
    const std::size_t window = std::max<std::uint32_t>(1, thresholds_.sustained_samples);
    Details details;
    imbalance_.judge(window, details);
    dsq_depth_.judge(window, details);
    if (thresholds_.fail_on_stall) stalls_.judge(window, details);
    fallback_.judge(window, details);
    keep_last_.judge(window, details);
    return details;
  }

 private:
  MonitorThresholds thresholds_;
  PlausibilityWatch plausibility_;
  ImbalanceCheck imbalance_;
  DsqDepthCheck dsq_depth_;
  StallCheck stalls_;
  RateCheck fallback_, keep_last_;
  MonitorSample before_;
  std::size_t samples_ = 0;
};

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
