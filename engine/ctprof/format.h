// Values of captures as people read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "introspect/ctprof/compare/aggregate.h"

namespace ktstr::engine {

/// What stands for an absent value.
inline constexpr std::string_view kAbsent = "-";

/// "12.3ms", "4.0MiB", "1.25s" (ticks), "0.333" (ratio), "1234": three significant digits where there is a
/// unit.
[[nodiscard]] std::string format_number(double value, std::string_view unit);
/// "-" when absent; "lowest..highest"; "value (count/of)" unless all are the same; "0-3 (4 cpus)".
[[nodiscard]] std::string format_aggregate(const introspect::ctprof::Aggregate& aggregate,
                                           std::string_view unit);
/// "+12.5%"; "new" when there was nothing before; "" when it can't be said.
[[nodiscard]] std::string format_relative(const std::optional<double>& relative);

}  // namespace ktstr::engine
