// The whole output of a scheduler that was not attached, in a file beside the report.
#pragma once

#include <filesystem>
#include <string>

#include "engine/report/scheduler_report.h"
#include "engine/run/guest.h"

namespace ktstr::engine {

/// What names of such files begin with, and where they go (made when there is something to write; empty: the
/// current directory).
struct OutputPlace {
  std::filesystem::path directory;
  std::string scenario;
};

/// Fetches the output and writes it to SCENARIO.NAME.log when the report's lines are not all of it, and notes
/// the file in the report. Returns
/// what a failure says of that: "; all 131103 lines of its output are in FILE", or how many of them, or why
/// they are not; "" when there is nothing to say.
[[nodiscard]] std::string keep_start_output(Guest& guest, SchedulerReport& report, const OutputPlace& place);

}  // namespace ktstr::engine
