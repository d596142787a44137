#include "vmm/kvm/acpi/hmat.h"

#include <algorithm>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kRevision = 2;  // latencies are picoseconds from this one on

constexpr std::uint8_t kAccessLatency = 0, kAccessBandwidth = 3;
constexpr std::uint64_t kPicosecondsPerDistance = 10'000;
constexpr std::uint64_t kMegabytesPerSecond = 1;  // the unit of bandwidth entries
constexpr std::uint16_t kLocalBandwidth = 20'000;

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

/// The node whose CPUs reach `memory` fastest: itself where it has any.
std::uint32_t nearest_initiator(const AcpiConfig& config, const Domains& initiators, std::uint32_t memory) {
  return *std::min_element(initiators.begin(), initiators.end(), [&](auto a, auto b) {
    return distance(config, a, memory) < distance(config, b, memory);
  });
}

std::uint16_t latency_entry(std::uint8_t distance) {
  return distance;
}

std::uint16_t bandwidth_entry(std::uint8_t distance) {
  return static_cast<std::uint16_t>(kLocalBandwidth * kLocalDistance / distance);
}

void add_matrix(Table& table, const AcpiConfig& config, const Domains& initiators, const Domains& targets,
                LatencyBandwidthStart start, std::uint16_t (*entry)(std::uint8_t)) {
  start.initiators = static_cast<std::uint32_t>(initiators.size());
  start.targets = static_cast<std::uint32_t>(targets.size());
  start.length = static_cast<std::uint32_t>(sizeof start + 4 * (initiators.size() + targets.size()) +
                                            2 * initiators.size() * targets.size());
  table.add(start);
  for (const auto initiator : initiators) table.add(initiator);
  for (const auto target : targets) table.add(target);
  for (const auto initiator : initiators)
    for (const auto target : targets) table.add(entry(distance(config, initiator, target)));
}

}  // namespace

Bytes hmat(const AcpiConfig& config) {
  const auto initiators = nodes_where(config, [](const NumaNode& node) { return !node.cpus.empty(); });
  const auto targets = nodes_where(config, [](const NumaNode& node) { return !node.memory.empty(); });
  Table table("HMAT", kRevision);
  table.add(std::uint32_t{0});  // reserved
  for (const auto target : targets) {
    ProximityDomainAttributes attributes;
    attributes.initiator = nearest_initiator(config, initiators, target);
    attributes.memory = target;
    table.add(attributes);
  }
  LatencyBandwidthStart start;
  start.data_type = kAccessLatency;
  start.entry_unit = kPicosecondsPerDistance;
  add_matrix(table, config, initiators, targets, start, latency_entry);
  start.data_type = kAccessBandwidth;
  start.entry_unit = kMegabytesPerSecond;
  add_matrix(table, config, initiators, targets, start, bandwidth_entry);
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
