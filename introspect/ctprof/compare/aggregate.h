// The values of a group's threads as one value. Absent values take no part; a group without any has none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "introspect/ctprof/metrics.h"

namespace ktstr::introspect::ctprof {

/// A sum, saturating at the type's maximum.
struct Total {
  std::uint64_t value = 0;
  friend bool operator==(const Total&, const Total&) = default;
};
/// The greatest.
struct Most {
  std::uint64_t value = 0;
  friend bool operator==(const Most&, const Most&) = default;
};
/// The lowest and the highest.
struct Range {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  friend bool operator==(const Range&, const Range&) = default;
};
/// The most frequent, of several the first in order; and how many of how many it is.
struct Mode {
  std::string value;
  std::uint64_t count = 0;
  std::uint64_t of = 0;
  friend bool operator==(const Mode&, const Mode&) = default;
};
/// All CPUs that any may run on, and how many each may.
struct AffinityUnion {
  std::string cpus;
  std::uint64_t fewest = 0;
  std::uint64_t most = 0;
  bool uniform = true;  ///< all have the same CPUs
  friend bool operator==(const AffinityUnion&, const AffinityUnion&) = default;
};
/// A number that was computed.
struct Derived {
  double value = 0;
  friend bool operator==(const Derived&, const Derived&) = default;
};

/// monostate: absent.
using Aggregate = std::variant<std::monostate, Total, Most, Range, Mode, AffinityUnion, Derived>;

using Threads = std::span<const ThreadRecord* const>;

/// By the rule of the metric's kind.
[[nodiscard]] Aggregate aggregate(const Metric& metric, Threads threads);

/// The value of a thread where adding makes sense; else nothing.
[[nodiscard]] std::optional<std::uint64_t> summable_value(const Metric& metric, const ThreadRecord& thread);

/// What can be subtracted: totals, greatest values and computed numbers.
[[nodiscard]] std::optional<double> number_of(const Aggregate& aggregate);

}  // namespace ktstr::introspect::ctprof
