#include "engine/verdict/merge.h"

#include <algorithm>
#include <cmath>

namespace ktstr::engine {
namespace {

template <class T>
void lay_over(T& base, const T& over) {
  for_each_field<T>([&](const auto& field) {
    auto& below = base.*field.member;
    const auto& above = over.*field.member;
    if constexpr (DescribedRecord<std::remove_cvref_t<decltype(below)>>)
      lay_over(below, above);
    else if (above)
      below = above;
  });
}

Duration scaled(Duration duration, double factor) {
  return Duration(std::llround(static_cast<double>(duration.ns) * factor));
}

}  // namespace

Expectations overlay(Expectations base, const Expectations& over) {
  lay_over(base, over);
  return base;
}

WorkerLimits worker_limits(const Expectations& expectations, double time_factor) {
  const WorkerLimits defaults;
  return {
      .no_starvation = expectations.no_starvation.value_or(defaults.no_starvation),
      .max_spread_pct =
          expectations.max_spread_pct.value_or(std::min(100.0, defaults.max_spread_pct * time_factor)),
      .max_gap = expectations.max_gap.value_or(scaled(defaults.max_gap, time_factor)),
      .isolation = expectations.isolation.value_or(defaults.isolation),
      .max_throughput_cv = expectations.max_throughput_cv,
      .min_work_rate = expectations.min_work_rate,
      .max_p99_wake_latency = expectations.max_p99_wake_latency,
      .max_wake_latency_cv = expectations.max_wake_latency_cv,
      .min_iteration_rate = expectations.min_iteration_rate,
      .max_migration_ratio = expectations.max_migration_ratio,
  };
}

Duration scheduler_gap_limit(const Expectations& expectations, double time_factor) {
  return expectations.max_scheduler_gap.value_or(scaled(kMaxSchedulerGap, time_factor));
}

introspect::MonitorThresholds monitor_thresholds(const Expectations& expectations, double time_factor) {
  const introspect::MonitorThresholds defaults;
  const auto sustained = std::llround(defaults.sustained_samples * time_factor);
  const auto& stated = expectations.monitor;
  return {
      .max_imbalance_ratio = stated.max_imbalance_ratio.value_or(defaults.max_imbalance_ratio),
      .max_local_dsq_depth = stated.max_local_dsq_depth.value_or(defaults.max_local_dsq_depth),
      .fail_on_stall = stated.fail_on_stall.value_or(defaults.fail_on_stall),
      .sustained_samples = stated.sustained_samples.value_or(static_cast<std::uint32_t>(sustained)),
      .max_fallback_rate = stated.max_fallback_rate.value_or(defaults.max_fallback_rate),
      .max_keep_last_rate = stated.max_keep_last_rate.value_or(defaults.max_keep_last_rate),
  };
}

}  // namespace ktstr::engine
