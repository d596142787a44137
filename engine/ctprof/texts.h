// Captures and comparisons as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/table.h"
#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/compare/compare.h"

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

struct ShowOptions {
  introspect::ctprof::GroupOptions group{};
  /// Columns; a choice of the most asked for when empty.
  std::vector<std::string> metrics{};
  /// The column that groups are sorted by, the greatest first; the first one when absent.
  std::optional<std::string> by{};
  /// Groups shown; 0: all.
  std::size_t limit = 20;
};

/// Where and when a capture is of, how many threads it holds, what could not be read and what can be done
/// about it.
[[nodiscard]] std::string summary_text(const introspect::ctprof::Snapshot& snapshot);

/// A line for each group. Errors (kInvalidArgument): no such metric; names the nearest.
[[nodiscard]] Result<std::string> show_text(const introspect::ctprof::Snapshot& snapshot,
                                            const ShowOptions& options, const TableStyle& style);

/// What counters of each group grew by each second, between two captures of one boot. Errors
/// (kInvalidArgument): as above, or a metric that is no counter; kUnavailable: the captures have no time
/// between them.
[[nodiscard]] Result<std::string> rates_text(const introspect::ctprof::Snapshot& before,
                                             const introspect::ctprof::Snapshot& after,
                                             const ShowOptions& options, const TableStyle& style);

/// What can be captured, and what it needs: the table of metrics and those computed from it.
[[nodiscard]] std::string metric_list_text(const TableStyle& style);

/// Notes, renamed groups, and the first `limit` rows (0: all).
[[nodiscard]] std::string compare_text(const introspect::ctprof::Comparison& comparison, std::size_t limit,
                                       const TableStyle& style);

/// A title line and a line for each row (RFC 4180); absent values are empty.
[[nodiscard]] std::string compare_csv(const introspect::ctprof::Comparison& comparison);

}  // namespace ktstr::engine
