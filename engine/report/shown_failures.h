// The failures of a report as people are shown them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/verdict/verdict.h"

namespace ktstr::engine {

/// Their messages, in order. Thousands of workers may fail one check in the same way: of each check the first
/// 20 and the last are shown, and before that last one how many are left out. The report's JSON has them all.
[[nodiscard]] std::vector<std::string> shown_failures(std::span<const Failure> failures);

}  // namespace ktstr::engine
