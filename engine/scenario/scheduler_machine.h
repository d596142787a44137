// What schedulers ask of the machine: a topology where the scenario states none, and bounds.
#pragma once

#include "engine/base/value.h"
#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Takes the topology of the first scheduler that has one, where the script states none. `tree` is what the
/// scenario was read from.
void take_default_topology(Scenario& scenario, const Value& tree);

/// Bounds of one scheduler. `place` is its definition's.
[[nodiscard]] ReadStatus check_bounds(const SchedulerDef& def, const vmm::Topology& topology,
                                      const Place& place);

}  // namespace ktstr::engine
