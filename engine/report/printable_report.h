// A report as its writers for people show it: printable, not all of thousands of failures, and loops of a log
// once.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/report/run_report.h"
#include "engine/verdict/verdict.h"

namespace ktstr::engine {

/// The report with every text of it printable, lines after the first indented by four spaces, and without its
/// bulk: `monitor` and `workers` are empty. Lines of the console and of the kernel's dump are not indented:
/// they are shown behind a mark of their own.
[[nodiscard]] RunReport printable_report(const RunReport& report);

/// The failures' messages, in order. Thousands of workers may fail one check in the same way: of each check
/// the first 20 and the last are shown, and before that last one how many are left out. The report's JSON has
/// them all.
[[nodiscard]] std::vector<std::string> shown_failures(std::span<const Failure> failures);

/// The lines, but of passages that follow each other alike only the first, and then "... these 7 lines 120
/// times more". The verifier's lines are alike when they are about the same instruction, whatever the state.
[[nodiscard]] std::vector<std::string> with_loops_collapsed(std::span<const std::string> lines);

}  // namespace ktstr::engine
