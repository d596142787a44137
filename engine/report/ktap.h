// Reports in KTAP, the kernel's test output format (Documentation/dev-tools/ktap.rst, version 1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// The version line, and the plan of so many tests.
[[nodiscard]] std::string ktap_plan(std::size_t tests);

/// One test, numbered from 1: "ok", "not ok", or "ok ... # SKIP reason". Failures stand before their result
/// line as diagnostics ("# ..."). KTAP has no word for inconclusive: it is "not ok", with the reason.
[[nodiscard]] std::string ktap_test(std::size_t number, const RunReport& report);

/// A test that could not be run, "not ok", and why.
[[nodiscard]] std::string ktap_error(std::size_t number, const std::string& name, std::string_view why);

}  // namespace ktstr::engine
