// The report as a person reads it: the cause first, then what a scheduler engineer wants to see on one
// screen.
#pragma once

#include <string>

#include "engine/report/run_report.h"

namespace ktstr::engine {

struct TextOptions {
  bool colour = false;
};

/// Ends with a newline. What came from the guest, the script or a file is made printable. Sections that have
/// nothing to say are left out; unknown numbers are "-".
[[nodiscard]] std::string to_text(const RunReport& report, const TextOptions& options = {});

}  // namespace ktstr::engine
