// HMAT: latency and bandwidth from each node with CPUs to each with memory.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The Heterogeneous Memory Attribute Table (ACPI 6.5, 5.2.28). What it tells follows from the distances, so
/// that it agrees with SLIT: latency is 10 ns for each unit, 100 ns to local memory; bandwidth falls as
/// distance grows, 20000 MB/s to local memory. Precondition: check_acpi_config().
[[nodiscard]] Bytes hmat(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
