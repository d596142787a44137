#include "engine/scenario/scheduler_machine.h"

#include <fmt/format.h>

#include "engine/scenario/schedulers_of.h"

namespace ktstr::engine {
namespace {

struct Bound {
  const char* name;
  std::optional<std::uint32_t> SchedulerDef::*limit;
  std::size_t (*count)(const vmm::Topology&);
  bool is_least;
  const char* things;
};

std::size_t cpus(const vmm::Topology& topology) {
  return topology.cpus();
}
std::size_t llcs(const vmm::Topology& topology) {
  return topology.llcs;
}
std::size_t nodes(const vmm::Topology& topology) {
  return topology.nodes;
}

constexpr Bound kBounds[] = {{"min_cpus", &SchedulerDef::min_cpus, cpus, true, "CPUs"},
                             {"max_cpus", &SchedulerDef::max_cpus, cpus, false, "CPUs"},
                             {"min_llcs", &SchedulerDef::min_llcs, llcs, true, "LLCs"},
                             {"max_llcs", &SchedulerDef::max_llcs, llcs, false, "LLCs"},
                             {"min_nodes", &SchedulerDef::min_nodes, nodes, true, "NUMA nodes"},
                             {"max_nodes", &SchedulerDef::max_nodes, nodes, false, "NUMA nodes"}};

}  // namespace

void take_default_topology(Scenario& scenario, const Value& tree) {
  if (tree.find("topology")) return;
  for (const auto* def : schedulers_of(scenario))
    if (def->topology) {
      scenario.topology = *def->topology;
      return;
    }
}

ReadStatus check_bounds(const SchedulerDef& def, const vmm::Topology& topology, const Place& place) {
  ReadStatus status;
  for (const auto& each : kBounds) {
    const auto bound = def.*each.limit;
    const auto there = each.count(topology);
    if (!bound || (each.is_least ? there >= *bound : there <= *bound)) continue;
    add_error(status,
              place.member(each.name).error(fmt::format(
                  "the topology {} has {} {}, and this scheduler takes at {} {}", topology.to_string(), there,
                  each.things, each.is_least ? "least" : "most", *bound)));
  }
  return status;
}

}  // namespace ktstr::engine
