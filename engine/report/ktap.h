// Reports in KTAP, the kernel's test output format (Documentation/dev-tools/ktap.rst, version 1).
#pragma once

#include <span>
#include <string>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// Version line, plan, and for each report one test: "ok", "not ok", or "ok ... # SKIP reason". Failures
/// stand before their result line as diagnostics ("# ..."). KTAP has no word for inconclusive: it is "not
/// ok", with the reason.
[[nodiscard]] std::string to_ktap(std::span<const RunReport> reports);

}  // namespace ktstr::engine
