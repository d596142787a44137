// MachinePlan: which QEMU machine expresses a configuration, or why none does.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm::qemu {

/// microvm boots fastest but has no NUMA; pc has; q35 has the IOMMU that x2APIC ids need.
enum class MachineType { kMicrovm, kPc, kQ35 };

struct MachinePlan {
  MachineType type = MachineType::kMicrovm;
  std::vector<std::uint64_t> bank_bytes;  ///< RAM of each NUMA node, whole 2 MiB
};

/// Errors (kInvalidArgument) name what the machines can't express: too many CPUs, APIC ids or nodes. Looks at
/// which QEMU is installed, but only where the answer hangs on it.
[[nodiscard]] Status check_topology(const Topology& topology, Accelerator accelerator);

/// Errors: those of check_topology(); kInvalidArgument for too little memory; kUnavailable: what of the host
/// QEMU's machines don't get for themselves.
[[nodiscard]] Result<MachinePlan> plan_machine(const MachineConfig& config);

}  // namespace ktstr::vmm::qemu
