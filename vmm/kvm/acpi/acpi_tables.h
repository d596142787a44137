// The ACPI tables of our own machine, as one image.
#pragma once

#include "vmm/kvm/acpi/config.h"
#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm {

/// The image to be copied to kAcpiTables: the RSDP first, and from there on, by XSDT, FADT with DSDT, MADT,
/// and with several nodes SRAT, SLIT and HMAT. All addresses in it are final. Errors (kInvalidArgument):
/// those of check_acpi_config(), or more than kAcpiTablesBytes.
[[nodiscard]] Result<Bytes> build_acpi_tables(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
