// From a script's tree of plain data to a checked Scenario.
#pragma once

#include <tl/expected.hpp>

#include "engine/base/read.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Reads and checks. What comes out can be run: every name, placement and time holds, and there is at least
/// one step. The error is the first one found, with its path and, where the tree has lines, its line.
[[nodiscard]] tl::expected<Scenario, ReadError> load_scenario(const Value& tree);

}  // namespace ktstr::engine
