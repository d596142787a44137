// Sparklines: a series of numbers as one line of block characters.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ktstr::introspect {

/// One of the eight block characters (UTF-8) for each value, scaled from the least to the greatest. Values
/// that are all the same give the fifth of them, all zeros the lowest; "" for no values.
[[nodiscard]] std::string render_sparkline(std::span<const std::uint64_t> values);
/// The same; a negative value counts as 0.
[[nodiscard]] std::string render_sparkline(std::span<const std::int64_t> values);

}  // namespace ktstr::introspect
