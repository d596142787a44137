#include "engine/verdict/expectations.h"

#include <cmath>

#include "engine/verdict/expectations.h"

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

template <class T>
void add_stated(const T& record, const std::string& prefix, std::vector<std::string>& names) {
  for_each_field<T>([&](const auto& field) {
    const auto& member = record.*field.member;
    const auto name = prefix + std::string(field.name);
    if constexpr (DescribedRecord<std::remove_cvref_t<decltype(member)>>)
      add_stated(member, name + ".", names);
    else if (member)
      names.push_back(name);
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

WorkerLimits worker_limits(const Expectations& expectations, std::size_t emulated_cpus) {
  WorkerLimits defaults;
  if (emulated_cpus > 0) defaults.max_gap = scaled(defaults.max_gap, kEmulationFactor);
  return {
      .no_starvation = expectations.no_starvation.value_or(defaults.no_starvation),
      .max_spread_pct = expectations.max_spread_pct.value_or(defaults.max_spread_pct),
      .max_spread_stated = expectations.max_spread_pct.has_value(),
      .max_gap = expectations.max_gap.value_or(defaults.max_gap),
      .isolation = expectations.isolation.value_or(defaults.isolation),
      .max_throughput_cv = expectations.max_throughput_cv,
      .min_work_rate = expectations.min_work_rate,
      .max_p99_wake_latency = expectations.max_p99_wake_latency,
      .max_wake_latency_cv = expectations.max_wake_latency_cv,
      .min_iteration_rate = expectations.min_iteration_rate,
      .max_migration_ratio = expectations.max_migration_ratio,
      .max_unfairness_pct = expectations.max_unfairness_pct.value_or(defaults.max_unfairness_pct),
      .blur = emulation_blur(emulated_cpus),
  };
}

Duration scheduler_gap_limit(const Expectations& expectations, bool emulated) {
  if (expectations.max_scheduler_gap) return *expectations.max_scheduler_gap;
  return emulated ? scaled(kMaxSchedulerGap, kEmulationFactor) : kMaxSchedulerGap;
}

std::vector<std::string> stated_limits(const Expectations& expectations) {
  std::vector<std::string> names;
  add_stated(expectations, "", names);
  return names;
}

std::vector<std::string> stretched_limits(const Expectations& expectations) {
  std::vector<std::string> names;
  if (!expectations.max_gap) names.emplace_back("max_gap");
  if (!expectations.max_scheduler_gap) names.emplace_back("max_scheduler_gap");
  if (!expectations.monitor.sustained_samples) names.emplace_back("monitor.sustained_samples");
  return names;
}

introspect::MonitorThresholds monitor_thresholds(const Expectations& expectations, bool emulated) {
  const introspect::MonitorThresholds defaults;
  const auto sustained = std::llround(defaults.sustained_samples * (emulated ? kEmulationFactor : 1));
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
