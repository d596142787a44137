// Parts of the text report: schedulers, and what the monitor saw.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// "  without a scheduler for 0.31 s (step 2 at 5.201 s, first replaced by second)"; empty when there was no
/// such time.
[[nodiscard]] std::string gaps_line(const std::vector<SchedulerGap>& gaps);

/// One line for each scheduler: its times and its fate. For one that died or was refused, what the kernel and
/// its own log say. Empty when there was none.
[[nodiscard]] std::string schedulers_text(const std::vector<SchedulerReport>& schedulers);

/// What the samples show: one line of totals, one row for each CPU, the scheduling domains once.
[[nodiscard]] std::string monitor_text(const introspect::MonitorReport& monitor,
                                       const SamplingReport& sampling);

/// The distinct spans of each level, innermost first: "MC 0-1 2-3, PKG 0-3"; empty when no sample has
/// domains.
[[nodiscard]] std::string domains_text(const introspect::MonitorReport& monitor);

/// "12.3 ms", "4.5 s", "800 ns": three or so digits and the unit that suits them.
[[nodiscard]] std::string time_text(std::uint64_t ns);

/// The number in this format, "-" for an unknown one.
template <class T>
[[nodiscard]] std::string or_dash(const std::optional<T>& number, std::string_view format = "{}") {
  return number ? fmt::format(fmt::runtime(format), *number) : "-";
}

}  // namespace ktstr::engine
