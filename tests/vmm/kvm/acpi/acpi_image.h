// AcpiImage: the tests' own reader of a table image, as a guest would walk it from the RSDP.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "vmm/kvm/acpi/acpi_tables.h"

namespace ktstr::vmm::kvm {

/// The little-endian number at `offset`; fails the test where it lies outside.
std::uint64_t number_at(const Bytes& bytes, std::size_t offset, std::size_t size);

/// Tables by signature, DSDT included. Fails the test on what a guest would not accept: signatures,
/// addresses outside the image, lengths, sums.
struct AcpiImage {
  explicit AcpiImage(const Bytes& image);
  [[nodiscard]] bool has(const std::string& signature) const { return tables.contains(signature); }

  std::map<std::string, Bytes> tables;
  std::vector<std::string> order;  ///< of XSDT's entries
};

/// The structures of MADT or SRAT behind the first `start` bytes: one type and length byte each.
std::vector<Bytes> structures_of(const Bytes& table, std::size_t start);

/// CPUs and memory of a topology: APIC ids as apic_id() gives them, nodes of 1 GiB each.
AcpiConfig acpi_config_of(const char* topology);

/// Three nodes: CPUs 0-2 with memory in two runs, CPU 3, and memory without CPUs that is nearest to node 1.
AcpiConfig lopsided_config();

}  // namespace ktstr::vmm::kvm
