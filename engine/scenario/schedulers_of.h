// All schedulers of a scenario.
#pragma once

#include <vector>

#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// All schedulers that the scenario names, itself or in an op, in order of first use.
[[nodiscard]] std::vector<const SchedulerDef*> schedulers_of(const Scenario& scenario);

}  // namespace ktstr::engine
