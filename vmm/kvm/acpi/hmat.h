// HMAT: latency and bandwidth from each node with CPUs to each with memory.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The Heterogeneous Memory Attribute Table (ACPI 6.5, 5.2.28): the configuration's relations, in ns and
/// MB/s. Precondition: check_acpi_config().
[[nodiscard]] Bytes hmat(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
