#include "engine/scenario/workers.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace ktstr::engine {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr std::uint64_t kPerCpu = 64 * kMegabyte;

std::uint64_t memory_for(const vmm::Topology& topology, std::uint64_t at_least) {
  return std::max(topology.cpus() * kPerCpu, at_least);
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
  return scenario.memory.value_or(ByteSize{memory_for(scenario.topology, 512 * kMegabyte)});
}

}  // namespace ktstr::engine
