#include "vmm/kvm/acpi/config.h"

#include <fmt/format.h>

#include <algorithm>

namespace ktstr::vmm::kvm {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Status check_apic_ids(const std::vector<std::uint32_t>& ids) {
  if (ids.empty()) return invalid("a machine needs a CPU");
  const auto wrong = std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>());
  if (wrong != ids.end())
    return invalid(fmt::format("APIC ids must ascend: {} comes before {}", wrong[0], wrong[1]));
  return ok();
}

Status check_nodes(const AcpiConfig& config) {
  CpuSet taken;
  bool memory_only = false;
  for (std::size_t node = 0; node < config.nodes.size(); ++node) {
    const auto& [cpus, memory] = config.nodes[node];
    if (cpus.empty() && memory.empty())
      return invalid(fmt::format("node {} has neither CPUs nor memory", node));
    if (!cpus.empty() && memory_only)
      return invalid(
          fmt::format("node {} has CPUs and comes after one that has none: Linux numbers those with "
                      "CPUs first",
                      node));
    if (const auto twice = taken & cpus; !twice.empty())
      return invalid(fmt::format("CPUs {} are in two nodes", twice.to_string()));
    taken = taken | cpus;
    memory_only = cpus.empty();
  }
  if (const auto all = CpuSet::range(0, config.apic_ids.size()); taken != all)
    return invalid(fmt::format("the nodes have CPUs {}, the machine {}", taken.to_string(), all.to_string()));
  return ok();
}

Status check_memory(const std::vector<NumaNode>& nodes) {
  for (std::size_t node = 0; node < nodes.size(); ++node)
    for (const auto& range : nodes[node].memory)
      if (range.bytes == 0 || range.base + range.bytes < range.base)
        return invalid(fmt::format("node {} has no memory at {:#x}", node, range.base.value()));
  return ok();
}

Status check_distances(const AcpiConfig& config) {
  const auto& rows = config.distances;
  const auto size = config.nodes.size();
  const bool square = rows.size() == size && std::all_of(rows.begin(), rows.end(),
                                                         [&](const auto& row) { return row.size() == size; });
  if (!square) return invalid(fmt::format("distances must be {0} rows of {0}, one for each node", size));
  for (std::size_t a = 0; a < size; ++a) {
    if (rows[a][a] != kLocalDistance)
      return invalid(
          fmt::format("the distance from node {0} to itself is {1}, not {2}", a, rows[a][a], kLocalDistance));
    for (std::size_t b = 0; b < a; ++b) {
      if (rows[a][b] != rows[b][a])
        return invalid(fmt::format("the distance from node {0} to {1} is {2}, back it is {3}", b, a,
                                   rows[b][a], rows[a][b]));
      if (rows[a][b] <= kLocalDistance)
        return invalid(fmt::format("the distance from node {} to {} is {}, not above {}", b, a, rows[b][a],
                                   kLocalDistance));
    }
  }
  return ok();
}

}  // namespace

std::uint8_t distance(const AcpiConfig& config, std::size_t from, std::size_t to) {
  if (!config.distances.empty()) return config.distances[from][to];
  return from == to ? kLocalDistance : kRemoteDistance;
}

Status check_acpi_config(const AcpiConfig& config) {
  KTSTR_TRY_STATUS(check_apic_ids(config.apic_ids));
  if (!config.distances.empty()) KTSTR_TRY_STATUS(check_distances(config));
  if (!has_numa(config)) return ok();
  KTSTR_TRY_STATUS(check_nodes(config));
  return check_memory(config.nodes);
}

}  // namespace ktstr::vmm::kvm
