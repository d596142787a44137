// From placements as a scenario states them to CPUs of a topology. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "engine/scenario/placement.h"
#include "vmm/topology.h"

namespace ktstr::engine {

/// The CPUs that cpusets are cut from: all but the last when there are more than two, so that the agent has
/// one.
[[nodiscard]] CpuSet usable_cpus(const vmm::Topology& topology);

/// A spec as the script spells it: "disjoint(2, 2)".
[[nodiscard]] std::string to_text(const CpusetSpec& spec);
[[nodiscard]] std::string to_text(const AffinitySpec& spec);

/// The CPUs a spec means; never empty. Errors (kInvalidArgument): an index or fraction out of range, a part
/// that holds no whole usable CPU, an exact set with CPUs the topology lacks; "disjoint(2, 2): index must be
/// below 2".
[[nodiscard]] Result<CpuSet> resolve_cpuset(const CpusetSpec& spec, const vmm::Topology& topology);

/// One set for each of `workers` workers of a cgroup that may use `cpuset` (not empty). An empty set leaves
/// the worker with what its cgroup allows. Equal seeds choose equal random subsets. Errors
/// (kInvalidArgument): a set without a CPU of the cpuset, more CPUs asked for than there are, no SMT
/// siblings.
[[nodiscard]] Result<std::vector<CpuSet>> resolve_affinity(const AffinitySpec& spec, const CpuSet& cpuset,
                                                           const vmm::Topology& topology, std::size_t workers,
                                                           std::uint64_t seed);

}  // namespace ktstr::engine
