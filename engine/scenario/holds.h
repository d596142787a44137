// How long each step lasts.
#pragma once

#include <optional>
#include <vector>

#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// A step's share of the scenario. `interval` is there for loops only.
struct StepTime {
  Duration hold;
  std::optional<Duration> interval;
};

/// Why a step's hold can't be: which step (from 0), and the reason.
struct HoldError {
  std::size_t step;
  std::string message;
};

/// The times of all steps, in order. Rest and an endless loop take what the others leave of `duration`.
/// Errors: a hold of no length, a fraction outside (0, 1], holds longer than `duration` together, a rest that
/// is not the last step or has nothing left, an interval longer than its loop; all that do not follow from
/// each other, at least one.
[[nodiscard]] tl::expected<std::vector<StepTime>, std::vector<HoldError>> plan_holds(
    const std::vector<Step>& steps, Duration duration);

}  // namespace ktstr::engine
