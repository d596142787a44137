// Rules for work groups and cgroup limits that need no knowledge of other cgroups.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Worker counts, group sizes, policy and nice ranges, and the work type's own parameters.
[[nodiscard]] ReadStatus check_work_group(const WorkGroup& group, const Place& place);

/// Ranges of a cgroup's limits.
[[nodiscard]] ReadStatus check_limits(const CgroupDef& def, const Place& place);

}  // namespace ktstr::engine
