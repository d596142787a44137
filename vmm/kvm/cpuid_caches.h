// The caches that guest CPUs tell of: L1 and L2 are a core's, L3 is an LLC's. The same on every host.
#pragma once

#include "vmm/apic_id.h"
#include "vmm/kvm/cpuid_leaves.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

/// Leaf 4 (Intel SDM vol. 2, CPUID), with the package's number of cores, and L2's size in 0x80000006.
void set_intel_caches(CpuidLeaves& leaves, const Topology& topology);

/// Leaf 0x8000001D, and sizes in 0x80000005 and 0x80000006 (AMD APM vol. 3, E.4). `with_legacy_l3`: whether
/// 0x80000006 has an L3.
void set_amd_caches(CpuidLeaves& leaves, const Topology& topology, bool with_legacy_l3);

}  // namespace ktstr::vmm::kvm
