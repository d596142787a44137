// The address of a message-signalled interrupt, as guests write it and as KVM takes it.
#pragma once

#include <cstdint>

namespace ktstr::vmm::kvm {

/// A guest with KVM_FEATURE_MSI_EXT_DEST_ID puts bits 14:8 of the destination's APIC id into bits 11:5 of the
/// address (Documentation/virt/kvm/x86/cpuid.rst). KVM with KVM_X2APIC_API_USE_32BIT_IDS wants bits 31:8 of
/// the id in bits 63:40 (api.rst, 4.52, KVM_SET_GSI_ROUTING). Bits 7:0 stay where they are, in 19:12.
[[nodiscard]] constexpr std::uint64_t msi_address_for_kvm(std::uint64_t address) {
  constexpr std::uint64_t kExtended = 0xfe0;
  return (address & 0xffffffff & ~kExtended) | ((address & kExtended) >> 5) << 40;
}

}  // namespace ktstr::vmm::kvm
