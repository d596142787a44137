// Completes and checks the schedulers of a scenario, before anything boots.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"
#include "engine/schedulers/program_search.h"

namespace ktstr::engine {

/// Gives each its name and its program's absolute path, and checks what SchedulerDef promises: the program
/// and its shared libraries are there, flags exist and have what they need, commands and sysctls can be
/// carried out. A string that is the name of a scheduler defined as a table means that one. `place` is the
/// scenario's.
[[nodiscard]] ReadStatus check_schedulers(Scenario& scenario, const Place& place,
                                          const ProgramPlaces& places);

/// contains and matches of expect.scheduler_error: not empty, and a valid expression. `place` is that of
/// `expect`.
[[nodiscard]] ReadStatus check_scheduler_error(const Expectations& expect, const Place& place);

}  // namespace ktstr::engine
