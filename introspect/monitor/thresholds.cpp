#include "introspect/monitor/thresholds.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/increase.h"
#include "introspect/monitor/plausible.h"
#include "introspect/monitor/stall.h"
#include "introspect/monitor/sustained.h"

namespace ktstr::introspect {
namespace {

using Samples = std::span<const MonitorSample>;
using Details = std::vector<std::string>;

void check_imbalance(Samples samples, double limit, std::size_t window, Details& details) {
  SustainedViolationTracker<double> tracker;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double ratio = samples[i].cpus.empty() ? 0.0 : samples[i].imbalance_ratio();
    tracker.record(ratio > limit, ratio, i);
  }
  if (tracker.sustained(window))
    details.push_back(fmt::format(
        "imbalance ratio {:.1f} exceeded threshold {:.1f} for {} consecutive samples (ending at sample {})",
        tracker.worst_value(), limit, tracker.worst_run(), tracker.worst_at()));
}

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

void check_dsq_depth(Samples samples, std::uint32_t limit, std::size_t window, Details& details) {
  SustainedViolationTracker<DeepestDsq> tracker;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto deepest = deepest_dsq(samples[i]);
    tracker.record(deepest.depth > limit, deepest, i);
  }
  if (tracker.sustained(window))
    details.push_back(fmt::format(
        "local DSQ depth {} on cpu{} exceeded threshold {} for {} consecutive samples (ending at sample {})",
        tracker.worst_value().depth, tracker.worst_value().cpu, limit, tracker.worst_run(),
        tracker.worst_at()));
}

void check_stalls(Samples samples, std::uint64_t threshold_ns, std::size_t window, Details& details) {
  std::vector<const MonitorSample*> series;
  std::size_t cpus = 0;
  for (const auto& sample : samples) {
    series.push_back(&sample);
    cpus = std::max(cpus, sample.cpus.size());
  }
  std::vector<SustainedViolationTracker<std::uint64_t>> trackers(cpus);
  StallWalker walker(series, threshold_ns);
  while (walker.next())
    for (std::size_t cpu = 0; cpu < walker.cpus(); ++cpu)
      trackers[cpu].record(walker.is_stalled(cpu), samples[walker.index()].cpus[cpu].rq_clock,
                           walker.index());
  for (std::size_t cpu = 0; cpu < cpus; ++cpu)
    if (trackers[cpu].sustained(window))
      details.push_back(
          fmt::format("rq_clock stall on cpu{} for {} consecutive samples (ending at sample {}, clock={})",
                      cpu, trackers[cpu].worst_run(), trackers[cpu].worst_at(), trackers[cpu].worst_value()));
}

std::optional<double> interval_rate(const MonitorSample& before, const MonitorSample& now,
                                    EventCounter counter) {
  const auto increase = event_increase(before, now, counter);
  if (!increase) return std::nullopt;
  return rate_per_second(static_cast<double>(*increase), counter_delta(now.elapsed_ns, before.elapsed_ns));
}

void check_rate(Samples samples, EventCounter counter, std::string_view name, double limit,
                std::size_t window, Details& details) {
  SustainedViolationTracker<double> tracker;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const auto rate = interval_rate(samples[i - 1], samples[i], counter);
    tracker.record(rate && *rate > limit, rate.value_or(0.0), i);
  }
  if (tracker.sustained(window))
    details.push_back(fmt::format(
        "{} rate {:.1f}/s exceeded threshold {:.1f}/s for {} consecutive intervals (ending at sample {})",
        name, tracker.worst_value(), limit, tracker.worst_run(), tracker.worst_at()));
}

}  // namespace

std::uint64_t EvaluationOptions::stall_threshold_ns() const {
  const double factor = emulation_factor > 1.0 ? emulation_factor : 1.0;
  const double ns = static_cast<double>(std::max<std::int64_t>(0, preemption_threshold.ns)) * factor;
  return static_cast<std::uint64_t>(std::min(ns, 1e18));
}

MonitorVerdict evaluate(Samples samples, const MonitorThresholds& thresholds,
                        const EvaluationOptions& options) {
  MonitorVerdict verdict;
  if (samples.empty()) return {true, false, {}, "no monitor samples"};
  if (!are_plausible(samples)) return {true, false, {}, "monitor data not yet initialized"};

  const std::size_t window = std::max<std::uint32_t>(1, thresholds.sustained_samples);
  auto& details = verdict.details;
  check_imbalance(samples, thresholds.max_imbalance_ratio, window, details);
  check_dsq_depth(samples, thresholds.max_local_dsq_depth, window, details);
  if (thresholds.fail_on_stall) check_stalls(samples, options.stall_threshold_ns(), window, details);
  check_rate(samples, {&ScxEventCounters::select_cpu_fallback}, "fallback", thresholds.max_fallback_rate,
             window, details);
  check_rate(samples, {&ScxEventCounters::dispatch_keep_last}, "keep_last", thresholds.max_keep_last_rate,
             window, details);

  verdict.passed = details.empty();
  verdict.summary =
      verdict.passed ? "monitor OK" : fmt::format("monitor FAILED: {} violation(s)", details.size());
  return verdict;
}

}  // namespace ktstr::introspect
