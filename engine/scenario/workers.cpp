#include "engine/scenario/workers.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace ktstr::engine {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr std::uint64_t kPerCpu = 64 * kMegabyte;
constexpr std::uint64_t kPerNode = 128 * kMegabyte;

std::uint64_t memory_for(const vmm::Topology& topology, std::uint64_t at_least) {
  return std::max(topology.cpus() * kPerCpu, at_least);
}

/// What nodes state, and for those that state nothing what their CPUs need.
ByteSize memory_of_nodes(const vmm::Topology& topology) {
  std::uint64_t stated = 0, rest = 0, nodes = 0;
  for (std::size_t node = 0; node < topology.nodes; ++node) {
    const auto memory = topology.node_memory(node);
    stated += memory ? memory->bytes : 0;
    rest += memory ? 0 : topology.node_cpus(node).count() * kPerCpu;
    nodes += memory ? 0 : 1;
  }
  if (nodes == 0) return {stated};
  return {std::max(stated + std::max(rest, nodes * kPerNode), 512 * kMegabyte)};
}

}  // namespace

std::uint32_t worker_count(const WorkGroup& group, std::size_t cpus) {
  if (group.workers) return *group.workers;
  KTSTR_CHECK(group.workers_pct.has_value());
  const auto asked =
      static_cast<std::size_t>(std::ceil(static_cast<double>(cpus) * *group.workers_pct - 1e-9));
  const auto size = work_group_size(group.work);
  return static_cast<std::uint32_t>((asked + size - 1) / size * size);
}

ByteSize memory_floor(const vmm::Topology& topology) {
  return {memory_for(topology, 256 * kMegabyte)};
}

ByteSize guest_memory(const Scenario& scenario) {
  if (scenario.memory) return std::max(*scenario.memory, memory_floor(scenario.topology));
  const auto& topology = scenario.topology;
  if (topology.node_specs.empty()) return {memory_for(topology, 512 * kMegabyte)};
  return memory_of_nodes(topology);
}

}  // namespace ktstr::engine
