#include "vmm/kvm/acpi/srat.h"

#include "vmm/apic_id.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kSratRevision = 3;
constexpr std::uint32_t kEnabled = 1;

struct [[gnu::packed]] SratStart {
  std::uint32_t always_one = 1;
  std::uint64_t reserved = 0;
};
static_assert(sizeof(SratStart) == 12);

struct [[gnu::packed]] LocalApicAffinity {
  std::uint8_t type = 0;
  std::uint8_t length = 16;
  std::uint8_t domain_low = 0;
  std::uint8_t apic_id = 0;
  std::uint32_t flags = kEnabled;
  std::uint8_t local_sapic_eid = 0;
  std::uint8_t domain_high[3] = {};
  std::uint32_t clock_domain = 0;
};
static_assert(sizeof(LocalApicAffinity) == 16);

struct [[gnu::packed]] X2ApicAffinity {
  std::uint8_t type = 2;
  std::uint8_t length = 24;
  std::uint16_t reserved = 0;
  std::uint32_t domain = 0;
  std::uint32_t x2apic_id = 0;
  std::uint32_t flags = kEnabled;
  std::uint32_t clock_domain = 0;
  std::uint32_t reserved_too = 0;
};
static_assert(sizeof(X2ApicAffinity) == 24);

struct [[gnu::packed]] MemoryAffinity {
  std::uint8_t type = 1;
  std::uint8_t length = 40;
  std::uint32_t domain = 0;
  std::uint16_t reserved = 0;
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  std::uint32_t reserved_too = 0;
  std::uint32_t flags = kEnabled;
  std::uint64_t reserved_three = 0;
};
static_assert(sizeof(MemoryAffinity) == 40);

void add_cpu(Table& table, std::uint32_t domain, std::uint32_t apic_id) {
  if (apic_id <= kLargestXapicId) {
    LocalApicAffinity entry;
    entry.apic_id = static_cast<std::uint8_t>(apic_id);
    entry.domain_low = static_cast<std::uint8_t>(domain);
    for (unsigned i = 0; i < 3; ++i)
      entry.domain_high[i] = static_cast<std::uint8_t>(domain >> (8 * (i + 1)));
    table.add(entry);
  } else {
    X2ApicAffinity entry;
    entry.domain = domain;
    entry.x2apic_id = apic_id;
    table.add(entry);
  }
}

void add_memory(Table& table, std::uint32_t domain, const MemoryRange& range) {
  MemoryAffinity entry;
  entry.domain = domain;
  entry.base = range.base.value();
  entry.bytes = range.bytes;
  table.add(entry);
}

}  // namespace

Bytes srat(const AcpiConfig& config) {
  Table table("SRAT", kSratRevision);
  table.add(SratStart{});
  for (std::uint32_t node = 0; node < config.nodes.size(); ++node)
    for (const auto cpu : config.nodes[node].cpus.to_vector()) add_cpu(table, node, config.apic_ids[cpu]);
  for (std::uint32_t node = 0; node < config.nodes.size(); ++node)
    for (const auto& range : config.nodes[node].memory) add_memory(table, node, range);
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
