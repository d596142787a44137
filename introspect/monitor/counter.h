// Arithmetic on cumulative counters that a hostile or restarted guest cannot make negative or overflow.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

namespace ktstr::introspect {

/// How much a counter grew. A counter that shrank was reset: 0. Saturates at the type's maximum.
template <std::integral T>
[[nodiscard]] constexpr T counter_delta(T last, T first) {
  if (last <= first) return 0;
  T delta{};
  return __builtin_sub_overflow(last, first, &delta) ? std::numeric_limits<T>::max() : delta;
}

/// a + b, saturating at the type's limits.
template <std::integral T>
[[nodiscard]] constexpr T saturating_add(T a, T b) {
  T sum{};
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

/// Events per second; absent over an empty interval.
[[nodiscard]] constexpr std::optional<double> rate_per_second(double count, std::uint64_t interval_ns) {
  if (interval_ns == 0) return std::nullopt;
  return count * 1e9 / static_cast<double>(interval_ns);
}

}  // namespace ktstr::introspect
