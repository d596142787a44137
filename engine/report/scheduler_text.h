// The schedulers' part of the text report.
#pragma once

#include <string>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// "  without a scheduler for 0.31 s (step 2 at 5.201 s, first replaced by second)"; empty when there was no
/// such time.
[[nodiscard]] std::string gaps_line(const std::vector<SchedulerGap>& gaps);

/// One line for each scheduler: its times and its fate. For one that died or was refused, what the kernel and
/// its own log say. Empty when there was none.
[[nodiscard]] std::string schedulers_text(const std::vector<SchedulerReport>& schedulers);

}  // namespace ktstr::engine
