// VcpuState: all that KVM knows of one vCPU, but for its clock (clock_state.h) and its CPUID; and its MSRs in
// bulk.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kvm/kvm.h"

namespace ktstr::vmm::kvm {

/// Those of `indices` that this vCPU has, in their order. Errors: KVM's.
[[nodiscard]] Result<std::vector<kvm_msr_entry>> read_msrs(int vcpu, std::span<const std::uint32_t> indices);

/// Gives each of `wanted` its value, writing those only that have another: what is not used can't be refused
/// then, and has no side effects. Errors: kUnavailable, the MSR that KVM refuses; KVM's.
[[nodiscard]] Status restore_msrs(int vcpu, std::span<const kvm_msr_entry> wanted);

struct VcpuState {
  kvm_mp_state mp_state{};
  kvm_regs general{};
  kvm_sregs special{};
  std::vector<std::byte> xsave;  ///< empty where the host has no XSAVE; then it is `fpu`
  kvm_fpu fpu{};
  std::optional<kvm_xcrs> xcrs;
  kvm_debugregs debug{};
  std::vector<kvm_msr_entry> msrs;  ///< without those of the clock
  kvm_lapic_state lapic{};
  kvm_vcpu_events events{};
};

/// Reads it all. `msrs`: Kvm::msr_indices(). Precondition: the vCPU's thread stands at the gate. Errors:
/// kUnavailable when the guest is a hypervisor (its own guests' state is not saved); KVM's.
[[nodiscard]] Result<VcpuState> save_vcpu(const Kvm& kvm, std::span<const std::uint32_t> msrs, int vcpu);

/// Makes a vCPU that never ran, of the same APIC id and CPUID, go on from `state`. Its clock is to be
/// restored afterwards, and the interrupt controllers too: they send what is pending. Errors: as
/// restore_msrs(); KVM's.
[[nodiscard]] Status restore_vcpu(int vcpu, const VcpuState& state);

}  // namespace ktstr::vmm::kvm
