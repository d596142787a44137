// A program's output with its loops shown once.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace ktstr::engine {

/// The lines, but of passages that follow each other alike only the first, and then "... these 7 lines 120
/// times more". The verifier's lines are alike when they are about the same instruction, whatever the state.
[[nodiscard]] std::vector<std::string> with_loops_collapsed(std::span<const std::string> lines);

}  // namespace ktstr::engine
