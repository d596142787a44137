#include <doctest/doctest.h>

#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "tests/vmm/preset_topologies.h"
#include "vmm/kvm/acpi/fixed_tables.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kFirstMadtEntry = 44;
constexpr std::uint64_t kLocalApicType = 0, kIoApicType = 1, kX2ApicType = 9;

/// APIC ids in the order in which the table has them, each enabled and with its number as UID.
std::vector<std::uint32_t> apic_ids_of(const Bytes& table) {
  std::vector<std::uint32_t> ids;
  for (const auto& entry : structures_of(table, kFirstMadtEntry)) {
    const auto type = number_at(entry, 0, 1);
    if (type != kLocalApicType && type != kX2ApicType) continue;
    const bool x2apic = type == kX2ApicType;
    CHECK(number_at(entry, x2apic ? 12 : 2, x2apic ? 4 : 1) == ids.size());
    CHECK(number_at(entry, x2apic ? 8 : 4, 4) == 1);
    ids.push_back(static_cast<std::uint32_t>(number_at(entry, x2apic ? 4 : 3, x2apic ? 4 : 1)));
    CHECK(x2apic == (ids.back() >= 255));
  }
  return ids;
}

}  // namespace

TEST_CASE("MADT has the APIC of every CPU of every preset, in order") {
  for (const char* preset : ktstr::test::kPresetTopologies) {
    CAPTURE(preset);
    const auto config = acpi_config_of(preset);
    const AcpiImage image(*build_acpi_tables(config));
    CHECK(apic_ids_of(image.tables.at("APIC")) == config.apic_ids);
  }
}

TEST_CASE("an APIC id of 255 and above has an x2APIC structure") {
  const std::vector<std::uint32_t> ids{0, 254, 255, 433};
  CHECK(apic_ids_of(madt(ids)) == ids);
}

TEST_CASE("MADT has one I/O APIC, which starts at GSI 0, and no 8259") {
  const auto table = madt(std::vector<std::uint32_t>{0});
  CHECK(number_at(table, 36, 4) == kLocalApic.value());
  CHECK(number_at(table, 40, 4) == 0);
  const auto entry = structures_of(table, kFirstMadtEntry).back();
  CHECK(number_at(entry, 0, 1) == kIoApicType);
  CHECK(number_at(entry, 2, 1) == 0);
  CHECK(number_at(entry, 4, 4) == kIoApic.value());
  CHECK(number_at(entry, 8, 4) == 0);
}

}  // namespace ktstr::vmm::kvm
