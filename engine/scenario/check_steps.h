// Follows a scenario's cgroups through its steps.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Checks every cgroup, cpuset, affinity and op at the point where it takes effect. A loop's ops are followed
/// for two turns, so that what can't be repeated is found. `place` is the scenario's.
[[nodiscard]] ReadStatus check_steps(const Scenario& scenario, const Place& place);

}  // namespace ktstr::engine
