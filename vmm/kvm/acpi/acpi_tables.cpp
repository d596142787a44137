#include "vmm/kvm/acpi/acpi_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "vmm/kvm/acpi/dsdt.h"
#include "vmm/kvm/acpi/fixed_tables.h"
#include "vmm/kvm/acpi/numa_tables.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

/// Tables one after another, behind room for the RSDP.
class Image {
 public:
  /// Where the guest will find the table.
  GuestPhys place(const Bytes& table) {
    constexpr std::size_t kAlignment = 16;
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    const auto address = kAcpiTables + bytes_.size();
    append(bytes_, table);
    return address;
  }

  [[nodiscard]] Bytes finish(const Bytes& rsdp) && {
    std::copy(rsdp.begin(), rsdp.end(), bytes_.begin());
    return std::move(bytes_);
  }

 private:
  Bytes bytes_ = Bytes(kRsdpBytes);
};

}  // namespace

Result<Bytes> build_acpi_tables(const AcpiConfig& config) {
  KTSTR_TRY(check_acpi_config(config));
  Image image;
  const auto definitions = image.place(dsdt());
  std::vector<GuestPhys> tables;
  tables.push_back(image.place(fadt(definitions)));
  tables.push_back(image.place(madt(config.apic_ids)));
  if (has_numa(config))
    for (const auto make : {srat, slit, hmat}) tables.push_back(image.place(make(config)));
  const auto root = image.place(xsdt(tables));
  auto bytes = std::move(image).finish(rsdp(root));
  if (bytes.size() > kAcpiTablesBytes)
    return invalid_argument(fmt::format("ACPI tables of {} CPUs in {} nodes have {} bytes, the most are {}",
                                        config.apic_ids.size(), config.nodes.size(), bytes.size(),
                                        kAcpiTablesBytes));
  return bytes;
}

}  // namespace ktstr::vmm::kvm
