// Metrics that are computed from a group's totals.
#pragma once

#include <span>
#include <string_view>

#include "introspect/ctprof/compare/aggregate.h"

namespace ktstr::introspect::ctprof {

/// The sum of some metrics' totals, less that of others, divided by that of others.
struct DerivedMetric {
  std::string_view name;
  std::string_view unit;  ///< "ns", "bytes" or "ratio"
  std::span<const std::string_view> numerator;
  std::span<const std::string_view> denominator;  ///< empty: nothing is divided
  std::string_view doc;
  std::span<const std::string_view> less{};
};

[[nodiscard]] std::span<const DerivedMetric> derived_metrics();

/// Absent when anything that it is made of is, or when it would be divided by 0.
[[nodiscard]] Aggregate derive(const DerivedMetric& metric, Threads threads);

}  // namespace ktstr::introspect::ctprof
