// SRAT: which node each CPU and each range of memory belongs to.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The System Resource Affinity Table (ACPI 6.5, 5.2.16). A node's proximity domain is its index. CPUs stand
/// node by node: Linux numbers its nodes in the order in which it meets the domains. Precondition:
/// check_acpi_config().
[[nodiscard]] Bytes srat(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
