// What our own machine can't be, whatever the host.
#pragma once

#include <cstddef>

#include "engine/base/result.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

/// The most that a KVM is built for (CONFIG_KVM_MAX_NR_VCPUS, arch/x86/kvm/Kconfig); most hosts have fewer,
/// which is found out when a machine is made.
inline constexpr std::size_t kMostVcpus = 4096;

/// Errors (kInvalidArgument): more CPUs than KVM can have, more CPUs and nodes than the ACPI tables hold.
/// APIC ids need no limit of their own: each of their three fields is less than twice as wide as what it
/// counts, so those of 4096 CPUs are below 32768, which Linux addresses without interrupt remapping
/// (KVM_FEATURE_MSI_EXT_DEST_ID; arch/x86/kernel/apic/apic.c, try_to_enable_x2apic()).
[[nodiscard]] Status check_topology(const Topology& topology);

}  // namespace ktstr::vmm::kvm
