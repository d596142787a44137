// All schedulers of a scenario, and the machine that they ask for.
#pragma once

#include <vector>

#include "engine/base/value.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// All schedulers that the scenario names, itself or in an op, in order of first use.
[[nodiscard]] std::vector<const SchedulerDef*> schedulers_of(const Scenario& scenario);

/// Takes the topology of the first scheduler that has one, where the script states none. `tree` is what the
/// scenario was read from.
void take_default_topology(Scenario& scenario, const Value& tree);

}  // namespace ktstr::engine
