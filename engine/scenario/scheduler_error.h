// What a scenario expects a scheduler's error to say.
#pragma once

#include "engine/scenario/place.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// contains and matches of expect.scheduler_error: not empty, and a valid expression. `place` is that of
/// `expect`.
[[nodiscard]] ReadStatus check_scheduler_error(const Expectations& expect, const Place& place);

}  // namespace ktstr::engine
