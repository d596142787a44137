// The kernel's optional statistics of a guest, switched on before anything runs in it.
#pragma once

#include "engine/report/statistics_report.h"
#include "engine/run/guest.h"

namespace ktstr::engine {

/// A kernel that refuses costs the statistics, not the run: the report has the reason. Error: kCancelled, or
/// the agent is lost.
[[nodiscard]] Status set_statistics(Guest& guest, bool on, StatisticsReport& report);

}  // namespace ktstr::engine
