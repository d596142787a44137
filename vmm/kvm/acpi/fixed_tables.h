// RSDP, XSDT, FADT and MADT: where the other tables lie, how the machine is turned off and reset and what of
// a PC it lacks, and its interrupt controllers.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/address.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

inline constexpr std::size_t kRsdpBytes = 36;

/// The Root System Description Pointer, revision 2 (ACPI 6.5, 5.2.5.3), without an RSDT. kRsdpBytes long.
[[nodiscard]] Bytes rsdp(GuestPhys xsdt);

/// The Extended System Description Table (ACPI 6.5, 5.2.8).
[[nodiscard]] Bytes xsdt(std::span<const GuestPhys> tables);

/// The Fixed ACPI Description Table (ACPI 6.5, 5.2.9) of a hardware-reduced machine.
[[nodiscard]] Bytes fadt(GuestPhys dsdt);

/// The Multiple APIC Description Table (ACPI 6.5, 5.2.12); `apic_ids` by CPU number, ascending. A CPU's ACPI
/// processor UID is its number; an id above kLargestXapicId has an x2APIC structure (5.2.12.12).
[[nodiscard]] Bytes madt(std::span<const std::uint32_t> apic_ids);

}  // namespace ktstr::vmm::kvm
