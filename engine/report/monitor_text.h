// The monitor's part of the text report.
#pragma once

#include <string>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// What the samples show: one line of totals, one row for each CPU, the scheduling domains once.
[[nodiscard]] std::string monitor_text(const introspect::MonitorReport& monitor,
                                       const SamplingReport& sampling);

/// The distinct spans of each level, innermost first: "MC 0-1 2-3, PKG 0-3"; empty when no sample has
/// domains.
[[nodiscard]] std::string domains_text(const introspect::MonitorReport& monitor);

/// "12.3 ms", "4.5 s", "800 ns": three or so digits and the unit that suits them.
[[nodiscard]] std::string time_text(std::uint64_t ns);

}  // namespace ktstr::engine
