// Completes and checks the schedulers of a scenario, before anything boots.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"
#include "engine/schedulers/program_search.h"

namespace ktstr::engine {

/// Gives each its name and its program's absolute path, and checks what SchedulerDef promises: the program
/// and its shared libraries are there, flags exist and have what they need, commands and sysctls can be
/// carried out, files are there, the topology is within the bounds. `place` is the scenario's. Precondition:
/// resolve_scheduler_names().
[[nodiscard]] ReadStatus check_schedulers(Scenario& scenario, const Place& place,
                                          const ProgramPlaces& places);

/// A string that is the name of a scheduler defined as a table comes to mean that one. Before everything
/// that asks what a scheduler is.
void resolve_scheduler_names(Scenario& scenario, const Place& place);

}  // namespace ktstr::engine
