// Rules of a scenario: what can be said before there is a guest, each kind in a source of its own.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"
#include "engine/schedulers/program_search.h"

namespace ktstr::engine {

/// Worker counts, group sizes, policy and nice ranges, and the work type's own parameters.
[[nodiscard]] ReadStatus check_work_group(const WorkGroup& group, const Place& place);

/// Ranges of a cgroup's limits.
[[nodiscard]] ReadStatus check_limits(const CgroupDef& def, const Place& place);

/// Checks every cgroup, cpuset, affinity and op at the point where it takes effect. A loop's ops are followed
/// for two turns, so that what can't be repeated is found. `place` is the scenario's.
[[nodiscard]] ReadStatus check_steps(const Scenario& scenario, const Place& place);

/// Gives each its name and its program's absolute path, and checks what SchedulerDef promises: the program
/// and its shared libraries are there, flags exist and have what they need, commands and sysctls can be
/// carried out, files are there, the topology is within the bounds. `place` is the scenario's. Precondition:
/// resolve_scheduler_names().
[[nodiscard]] ReadStatus check_schedulers(Scenario& scenario, const Place& place,
                                          const ProgramPlaces& places);

/// A string that is the name of a scheduler defined as a table comes to mean that one. Before everything
/// that asks what a scheduler is.
void resolve_scheduler_names(Scenario& scenario, const Place& place);

/// contains and matches of expect.scheduler_error: not empty, and a valid expression. `place` is that of
/// `expect`.
[[nodiscard]] ReadStatus check_scheduler_error(const Expectations& expect, const Place& place);

}  // namespace ktstr::engine
