// From a script's tree of plain data to a checked Scenario.
#pragma once

#include <tl/expected.hpp>

#include "engine/base/read.h"
#include "engine/scenario/scenario.h"
#include "engine/schedulers/program_search.h"

namespace ktstr::engine {

/// Reads and checks. What comes out can be run: every name, placement and time holds, and there is at least
/// one step; schedulers' programs are found through `places`, with all that they need. The error has all
/// mistakes that do not follow from each other, with their paths and, where the tree has lines, their lines.
[[nodiscard]] tl::expected<Scenario, ReadError> load_scenario(const Value& tree,
                                                              const ProgramPlaces& places = {});

}  // namespace ktstr::engine
