// The model-specific registers of a vCPU, read and written in bulk.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// Those of `indices` that this vCPU has, in their order. Errors: KVM's.
[[nodiscard]] Result<std::vector<kvm_msr_entry>> read_msrs(int vcpu, std::span<const std::uint32_t> indices);

/// Gives each of `wanted` its value, writing those only that have another: what is not used can't be refused
/// then, and has no side effects. Errors: kUnavailable, the MSR that KVM refuses; KVM's.
[[nodiscard]] Status restore_msrs(int vcpu, std::span<const kvm_msr_entry> wanted);

}  // namespace ktstr::vmm::kvm
