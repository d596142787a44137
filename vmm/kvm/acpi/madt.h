// MADT: the interrupt controllers, one local APIC for each CPU.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The Multiple APIC Description Table (ACPI 6.5, 5.2.12); `apic_ids` by CPU number, ascending. A CPU's ACPI
/// processor UID is its number; an id above kLargestXapicId has an x2APIC structure (5.2.12.12).
[[nodiscard]] Bytes madt(std::span<const std::uint32_t> apic_ids);

}  // namespace ktstr::vmm::kvm
