#include "vmm/kvm/acpi/hmat.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kHmatRevision = 2;  // latencies are picoseconds from this one on

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

Bytes hmat(const AcpiConfig& config) {
  const auto initiators = nodes_where(config, [](const NumaNode& node) { return !node.cpus.empty(); });
  const auto targets = nodes_where(config, [](const NumaNode& node) { return !node.memory.empty(); });
  Table table("HMAT", kHmatRevision);
  table.add(std::uint32_t{0});  // reserved
  for (const auto target : targets) {
    ProximityDomainAttributes attributes;
    attributes.initiator =
        static_cast<std::uint32_t>(config.relations.nearest_cpus(target, initiators.size()));
    attributes.memory = target;
    table.add(attributes);
  }
  LatencyBandwidthStart start;
  start.data_type = kAccessLatency;
  start.entry_unit = kNanosecond;
  add_matrix(table, config, initiators, targets, start, &NodeRelations::latency);
  start.data_type = kAccessBandwidth;
  start.entry_unit = kMegabytePerSecond;
  add_matrix(table, config, initiators, targets, start, &NodeRelations::bandwidth);
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
