// DSDT: the devices that can't be probed, and how to power off.
#pragma once

#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The Differentiated System Description Table (ACPI 6.5, 5.2.11.1): the PCI host bridge, COM1, the panic
/// device, and the soft-off state.
[[nodiscard]] Bytes dsdt();

}  // namespace ktstr::vmm::kvm
