// SRAT, SLIT and HMAT: what belongs to which node, and how far nodes are from each other.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The System Resource Affinity Table (ACPI 6.5, 5.2.16). A node's proximity domain is its index. CPUs stand
/// node by node: Linux numbers its nodes in the order in which it meets the domains. Precondition:
/// check_acpi_config().
[[nodiscard]] Bytes srat(const AcpiConfig& config);

/// The System Locality Information Table (ACPI 6.5, 5.2.17). Precondition: check_acpi_config().
[[nodiscard]] Bytes slit(const AcpiConfig& config);

/// The Heterogeneous Memory Attribute Table (ACPI 6.5, 5.2.28): the configuration's relations, in ns and
/// MB/s. Precondition: check_acpi_config().
[[nodiscard]] Bytes hmat(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
