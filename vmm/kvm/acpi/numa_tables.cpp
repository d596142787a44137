#include "vmm/kvm/acpi/numa_tables.h"

#include "vmm/apic_id.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kSratRevision = 3, kSlitRevision = 1;
constexpr std::uint8_t kHmatRevision = 2;  // latencies are picoseconds from this one on
constexpr std::uint32_t kAffinityEnabled = 1;

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
  std::uint32_t flags = kAffinityEnabled;
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
  std::uint32_t flags = kAffinityEnabled;
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
  std::uint32_t flags = kAffinityEnabled;
  std::uint64_t reserved_three = 0;
};
static_assert(sizeof(MemoryAffinity) == 40);

void add_affinity(Table& table, std::uint32_t domain, std::uint32_t apic_id) {
  if (apic_id <= kLargestXapicId) {
    LocalApicAffinity entry;
    entry.apic_id = static_cast<std::uint8_t>(apic_id);
    entry.domain_low = static_cast<std::uint8_t>(domain);
    for (unsigned i = 0; i < 3; ++i)
      entry.domain_high[i] = static_cast<std::uint8_t>(domain >> (8 * (i + 1)));
    table.add(entry);
  } else {
    table.add(X2ApicAffinity{.domain = domain, .x2apic_id = apic_id});
  }
}

constexpr std::uint8_t kAccessLatency = 0, kAccessBandwidth = 3;
constexpr std::uint64_t kNanosecond = 1'000, kMegabytePerSecond = 1;  // the units of entries

struct [[gnu::packed]] ProximityDomainAttributes {
  std::uint16_t type = 0;
  std::uint16_t reserved = 0;
  std::uint32_t length = 40;
  std::uint16_t flags = 1;  // the initiator's domain is valid
  std::uint16_t reserved_too = 0;
  std::uint32_t initiator = 0;
  std::uint32_t memory = 0;
  std::uint32_t reserved_three = 0;
  std::uint64_t reserved_four = 0;
  std::uint64_t reserved_five = 0;
};
static_assert(sizeof(ProximityDomainAttributes) == 40);

struct [[gnu::packed]] LatencyBandwidthStart {
  std::uint16_t type = 1;
  std::uint16_t reserved = 0;
  std::uint32_t length = 0;
  std::uint8_t flags = 0;  // of memory, not of a cache before it
  std::uint8_t data_type = 0;
  std::uint8_t minimum_transfer = 0;
  std::uint8_t reserved_too = 0;
  std::uint32_t initiators = 0;
  std::uint32_t targets = 0;
  std::uint32_t reserved_three = 0;
  std::uint64_t entry_unit = 0;
};
static_assert(sizeof(LatencyBandwidthStart) == 32);

using Domains = std::vector<std::uint32_t>;

Domains nodes_where(const AcpiConfig& config, bool (*holds)(const NumaNode&)) {
  Domains found;
  for (std::uint32_t node = 0; node < config.nodes.size(); ++node)
    if (holds(config.nodes[node])) found.push_back(node);
  return found;
}

/// What a node's CPUs and another's memory have of an attribute.
using Attribute = std::uint32_t (NodeRelations::*)(std::size_t, std::size_t) const;

void add_matrix(Table& table, const AcpiConfig& config, const Domains& initiators, const Domains& targets,
                LatencyBandwidthStart start, Attribute attribute) {
  start.initiators = static_cast<std::uint32_t>(initiators.size());
  start.targets = static_cast<std::uint32_t>(targets.size());
  start.length = static_cast<std::uint32_t>(sizeof start + 4 * (initiators.size() + targets.size()) +
                                            2 * initiators.size() * targets.size());
  table.add(start);
  for (const auto initiator : initiators) table.add(initiator);
  for (const auto target : targets) table.add(target);
  for (const auto initiator : initiators)
    for (const auto target : targets)
      table.add(static_cast<std::uint16_t>((config.relations.*attribute)(initiator, target)));
}

}  // namespace

Bytes srat(const AcpiConfig& config) {
  Table table("SRAT", kSratRevision);
  table.add(SratStart{});
  for (std::uint32_t node = 0; node < config.nodes.size(); ++node)
    for (const auto cpu : config.nodes[node].cpus.to_vector())
      add_affinity(table, node, config.apic_ids[cpu]);
  for (std::uint32_t node = 0; node < config.nodes.size(); ++node)
    for (const auto& range : config.nodes[node].memory)
      table.add(MemoryAffinity{.domain = node, .base = range.base.value(), .bytes = range.bytes});
  return std::move(table).finish();
}

Bytes slit(const AcpiConfig& config) {
  const std::uint64_t nodes = config.nodes.size();
  Table table("SLIT", kSlitRevision);
  table.add(nodes);
  for (std::size_t from = 0; from < nodes; ++from)
    for (std::size_t to = 0; to < nodes; ++to)
      table.add(static_cast<std::uint8_t>(config.relations.distance(from, to)));
  return std::move(table).finish();
}

Bytes hmat(const AcpiConfig& config) {
  const auto initiators = nodes_where(config, [](const NumaNode& node) { return !node.cpus.empty(); });
  const auto targets = nodes_where(config, [](const NumaNode& node) { return !node.memory.empty(); });
  Table table("HMAT", kHmatRevision);
  table.add(std::uint32_t{0});  // reserved
  for (const auto target : targets) {
    const auto nearest = config.relations.nearest_cpus(target, initiators.size());
    table.add(ProximityDomainAttributes{.initiator = static_cast<std::uint32_t>(nearest), .memory = target});
  }
  add_matrix(table, config, initiators, targets, {.data_type = kAccessLatency, .entry_unit = kNanosecond},
             &NodeRelations::latency);
  add_matrix(table, config, initiators, targets,
             {.data_type = kAccessBandwidth, .entry_unit = kMegabytePerSecond}, &NodeRelations::bandwidth);
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
