#include "vmm/kvm/acpi/madt.h"

#include "vmm/apic_id.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kMadtRevision = 6;
constexpr std::uint8_t kIoApicId = 0;  // what the I/O APIC's own register reads after reset
constexpr std::uint32_t kEnabled = 1;

struct [[gnu::packed]] MadtStart {
  std::uint32_t local_apic = static_cast<std::uint32_t>(kLocalApic.value());
  std::uint32_t flags = 0;  // PCAT_COMPAT is clear: there is no pair of 8259
};
static_assert(sizeof(MadtStart) == 8);

struct [[gnu::packed]] IoApicEntry {
  std::uint8_t type = 1;
  std::uint8_t length = 12;
  std::uint8_t id = kIoApicId;
  std::uint8_t reserved = 0;
  std::uint32_t address = static_cast<std::uint32_t>(kIoApic.value());
  std::uint32_t first_gsi = 0;
};
static_assert(sizeof(IoApicEntry) == 12);

struct [[gnu::packed]] LocalApicEntry {
  std::uint8_t type = 0;
  std::uint8_t length = 8;
  std::uint8_t processor_uid = 0;
  std::uint8_t apic_id = 0;
  std::uint32_t flags = kEnabled;
};
static_assert(sizeof(LocalApicEntry) == 8);

struct [[gnu::packed]] LocalX2ApicEntry {
  std::uint8_t type = 9;
  std::uint8_t length = 16;
  std::uint16_t reserved = 0;
  std::uint32_t x2apic_id = 0;
  std::uint32_t flags = kEnabled;
  std::uint32_t processor_uid = 0;
};
static_assert(sizeof(LocalX2ApicEntry) == 16);

void add_cpu(Table& table, std::uint32_t cpu, std::uint32_t apic_id) {
  if (apic_id <= kLargestXapicId) {
    LocalApicEntry entry;
    entry.processor_uid = static_cast<std::uint8_t>(cpu);
    entry.apic_id = static_cast<std::uint8_t>(apic_id);
    table.add(entry);
  } else {
    LocalX2ApicEntry entry;
    entry.x2apic_id = apic_id;
    entry.processor_uid = cpu;
    table.add(entry);
  }
}

}  // namespace

Bytes madt(std::span<const std::uint32_t> apic_ids) {
  Table table("APIC", kMadtRevision);
  table.add(MadtStart{});
  for (std::uint32_t cpu = 0; cpu < apic_ids.size(); ++cpu) add_cpu(table, cpu, apic_ids[cpu]);
  table.add(IoApicEntry{});
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
