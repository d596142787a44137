// RSDP and XSDT: where the other tables lie.
#pragma once

#include <span>

#include "engine/base/address.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

inline constexpr std::size_t kRsdpBytes = 36;

/// The Root System Description Pointer, revision 2 (ACPI 6.5, 5.2.5.3), without an RSDT. kRsdpBytes long.
[[nodiscard]] Bytes rsdp(GuestPhys xsdt);

/// The Extended System Description Table (ACPI 6.5, 5.2.8).
[[nodiscard]] Bytes xsdt(std::span<const GuestPhys> tables);

}  // namespace ktstr::vmm::kvm
