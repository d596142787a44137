// The few statistics that checks and reports share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ktstr::engine {

/// The nearest-rank percentile (0 < percent <= 100) of `values`, in any order; absent when there are none.
[[nodiscard]] std::optional<std::uint64_t> percentile(std::vector<std::uint64_t> values, double percent);

/// Population standard deviation over mean; absent for fewer than two values or a mean of 0.
[[nodiscard]] std::optional<double> coefficient_of_variation(std::span<const double> values);

}  // namespace ktstr::engine
