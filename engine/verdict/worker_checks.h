// The worker checks: what the workers reported, held against the limits in force.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/verdict/expectations.h"
#include "engine/verdict/verdict.h"
#include "engine/verdict/worker_group.h"

namespace ktstr::engine {

/// What the checks came to. `not_judged`: checks that could not be made, with the reason, a sentence each.
struct WorkerFindings {
  std::vector<Failure> failures;
  std::vector<std::string> not_judged;
};

/// Deaths of workers come first, being causes; then every check that does not hold, group by group, in the
/// order of WorkerLimits. A value equal to its limit holds. A worker that died or had to be killed is judged
/// for that alone. A rate or ratio that has no denominator (no CPU time, no iterations) is judged by
/// no_starvation and is not compared. Workers are compared with their peers (peers.h) only; by how much CPU
/// time they got where emulation leaves that in doubt (WorkerLimits::blur), that is said instead of judged.
[[nodiscard]] WorkerFindings check_workers(std::span<const WorkerGroup> groups, const WorkerLimits& limits);

}  // namespace ktstr::engine
