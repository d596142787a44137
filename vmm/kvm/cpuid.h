// CPUID of a guest CPU: the host's features with our topology.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <span>
#include <vector>

#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

struct CpuidOptions {
  bool dedicated_cpus =
      false;  ///< no vCPU ever waits for a host CPU: the guest may spin (KVM_HINTS_REALTIME)
};

/// What KVM_SET_CPUID2 is to be given for `cpu`, from what KVM_GET_SUPPORTED_CPUID says. Vendor and features
/// stay the host's; everything that tells of its topology and caches is replaced by ours: threads make a
/// core, cores a package, and a package is one LLC. Linux draws from it the siblings of Topology::core_cpus()
/// and the shared L3 of Topology::llc_cpus(), for Intel, AMD and Hygon. Caches have one size on every host.
///
/// Preconditions: cpu < topology.cpus(); the vCPU's id is apic_id(topology, cpu); the local APIC is KVM's,
/// which then has the TSC deadline timer and x2APIC (KVM_GET_SUPPORTED_CPUID does not tell of the former).
/// Where an APIC id exceeds 254, KVM_FEATURE_MSI_EXT_DEST_ID is set, and the machine must take bits 11:5 of
/// an MSI's address for bits 14:8 of its destination.
[[nodiscard]] std::vector<kvm_cpuid_entry2> guest_cpuid(std::span<const kvm_cpuid_entry2> supported,
                                                        const Topology& topology, std::size_t cpu,
                                                        const CpuidOptions& options = {});

}  // namespace ktstr::vmm::kvm
