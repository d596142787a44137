// What `ktstr run` was told of a machine's performance, as arguments that say it again.
#pragma once

#include <string>

#include "vmm/performance.h"

namespace ktstr::engine {

/// Each behind a space: " --pin --prefault"; empty for none.
[[nodiscard]] std::string performance_arguments(const vmm::PerformanceOptions& options);

}  // namespace ktstr::engine
