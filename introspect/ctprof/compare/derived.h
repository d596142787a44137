// Metrics that are computed from a group's totals.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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

/// What a metric of the table has added up to; absent when it is not known.
using SumOf = std::function<std::optional<double>(const Metric& metric)>;

/// Absent when anything that it is made of is, or when it would be divided by 0.
[[nodiscard]] Aggregate derive(const DerivedMetric& metric, const SumOf& sum_of);
/// Of the threads' lives.
[[nodiscard]] Aggregate derive(const DerivedMetric& metric, Threads threads);

/// What it says of a time between two captures.
enum class DerivedKind : std::uint8_t {
  kQuotient,  ///< it is made of what happened in that time
  kTotal,     ///< it grows like the counters that it is the sum of
  kLevel,     ///< it is what it is at the end
};
[[nodiscard]] DerivedKind kind_of(const DerivedMetric& metric);

}  // namespace ktstr::introspect::ctprof
