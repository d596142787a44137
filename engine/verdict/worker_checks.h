// The worker checks: what the workers reported, held against the limits in force.
#pragma once

#include <span>
#include <vector>

#include "engine/verdict/merge.h"
#include "engine/verdict/verdict.h"
#include "engine/verdict/worker_group.h"

namespace ktstr::engine {

/// Every check that does not hold, group by group, in the order of WorkerLimits; deaths of workers come
/// first. A value equal to its limit holds. A worker that died or had to be killed is judged for that alone.
/// A rate or ratio that has no denominator (no CPU time, no iterations) is judged by no_starvation and is not
/// compared.
[[nodiscard]] std::vector<Failure> check_workers(std::span<const WorkerGroup> groups,
                                                 const WorkerLimits& limits);

}  // namespace ktstr::engine
