// FADT: how the machine is turned off and reset, and which devices of a PC it lacks.
#pragma once

#include "engine/base/address.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The Fixed ACPI Description Table (ACPI 6.5, 5.2.9) of a hardware-reduced machine.
[[nodiscard]] Bytes fadt(GuestPhys dsdt);

}  // namespace ktstr::vmm::kvm
