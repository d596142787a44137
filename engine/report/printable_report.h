// A report as its writers for people show it.
#pragma once

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// The report with every text of it printable, lines after the first indented by four spaces, and without its
/// bulk: `monitor` and `workers` are empty. Lines of the console and of the kernel's dump are not indented:
/// they are shown behind a mark of their own.
[[nodiscard]] RunReport printable_report(const RunReport& report);

}  // namespace ktstr::engine
