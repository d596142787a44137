// The few statistics that checks and reports share.
#pragma once

#include <optional>
#include <span>

namespace ktstr::engine {

/// Population standard deviation over mean; absent for fewer than two values or a mean of 0.
[[nodiscard]] std::optional<double> coefficient_of_variation(std::span<const double> values);

}  // namespace ktstr::engine
