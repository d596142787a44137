// SLIT: how far the nodes are from each other.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The System Locality Information Table (ACPI 6.5, 5.2.17). Precondition: check_acpi_config().
[[nodiscard]] Bytes slit(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
