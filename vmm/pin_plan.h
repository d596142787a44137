// PinPlan: which host CPU runs which vCPU.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "vmm/host_topology.h"
#include "vmm/topology.h"

namespace ktstr::vmm {

struct PinPlan {
  std::vector<std::size_t> vcpu_cpus;   ///< the host CPU of each vCPU, no two the same
  std::vector<CpuSet> node_host_nodes;  ///< the host's NUMA node that each of the guest's is on
};

/// The guest's topology as a part of the host's: each LLC is on an LLC of the host of its own, a core's
/// threads are threads of one core, and no two cores share one; the LLCs of a NUMA node are on one node of
/// the host, of its own as long as there are free ones. Of what fits, the lowest numbers.
///
/// `spare` more CPUs of the host must be left over, for threads besides the vCPUs'.
///
/// Errors: kUnavailable, saying what the topology needs and what the host has.
[[nodiscard]] Result<PinPlan> plan_pinning(const HostTopology& host, const Topology& guest,
                                           std::size_t spare = 0);

/// The rule of `spare` alone, for vCPUs that run where the host puts them. Errors: kUnavailable.
[[nodiscard]] Status check_cpu_count(std::size_t host_cpus, const Topology& guest, std::size_t spare);

}  // namespace ktstr::vmm
