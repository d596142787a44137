// What the topology of an AMD or Hygon CPU needs beyond the leaves that it has in common with Intel's.
#pragma once

#include <cstddef>

#include "vmm/kvm/cpuid_leaves.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

/// 0x80000001, 0x80000008, 0x8000001E (AMD APM vol. 3, E.4), and the caches. A package has one node, which
/// bears its number. Leaf 0x80000026 is dropped: Linux then turns to 0xB.
void set_amd_topology(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu);

}  // namespace ktstr::vmm::kvm
