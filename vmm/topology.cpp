#include "vmm/topology.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/check.h"
#include "vmm/memory_plan.h"

namespace ktstr::vmm {
namespace {

bool is_countable(std::size_t count) {
  return count > 0 && count <= CpuSet::kCapacity;
}

Status check_counts(const Topology& topology) {
  if (!is_countable(topology.nodes)) return invalid_argument("nodes: must be 1 to 8192");
  if (topology.llcs == 0) return invalid_argument("no node has CPUs");
  if (!is_countable(topology.cores_per_llc)) return invalid_argument("cores_per_llc: must be 1 to 8192");
  if (!is_countable(topology.threads_per_core))
    return invalid_argument("threads_per_core: must be 1 to 8192");
  if (topology.llcs > CpuSet::kCapacity || topology.cpus_per_llc() > CpuSet::kCapacity ||
      topology.cpus() > CpuSet::kCapacity)
    return invalid_argument(fmt::format("more than {} CPUs", CpuSet::kCapacity));
  return ok();
}

Status check_node_memory(std::size_t node, ByteSize memory) {
  const auto text = format_byte_size(memory);
  if (memory.bytes % kBankAlignment != 0)
    return invalid_argument(fmt::format("node {}: its memory of {} is not whole 2M", node, text));
  const auto least = node == 0 ? kLeastFirstBank : kLeastBank;
  if (memory.bytes < least)
    return invalid_argument(fmt::format("node {}: {} of memory is too little: at least {}{}", node, text,
                                        format_byte_size(ByteSize{least}),
                                        node == 0 ? ", as the kernel is loaded there" : ""));
  if (memory.bytes > kMostMemory)
    return invalid_argument(fmt::format("node {}: {} of memory is more than {}", node, text,
                                        format_byte_size(ByteSize{kMostMemory})));
  return ok();
}

Status check_spec(const std::vector<NodeSpec>& specs, std::size_t node) {
  const auto& spec = specs[node];
  if (spec.llcs == 0 && node == 0)
    return invalid_argument("node 0 has no CPUs: Linux numbers nodes with CPUs first");
  if (spec.llcs == 0 && !spec.memory)
    return invalid_argument(
        fmt::format("node {} has no CPUs and states no memory: it needs one of both", node));
  if (spec.llcs > 0 && node > 0 && specs[node - 1].llcs == 0)
    return invalid_argument(fmt::format(
        "node {} has CPUs and comes after one that has none: Linux numbers nodes with CPUs first", node));
  return spec.memory ? check_node_memory(node, *spec.memory) : ok();
}

Status check_nodes(const Topology& topology) {
  const auto& specs = topology.node_specs;
  if (specs.empty()) {
    if (topology.llcs % topology.nodes == 0) return ok();
    return invalid_argument(
        fmt::format("the number of LLCs ({}) must be a multiple of the number of NUMA nodes ({})",
                    topology.llcs, topology.nodes));
  }
  std::size_t llcs = 0;
  for (std::size_t node = 0; node < specs.size(); ++node) {
    KTSTR_TRY(check_spec(specs, node));
    llcs += specs[node].llcs;
  }
  if (specs.size() != topology.nodes || llcs != topology.llcs)
    return invalid_argument(fmt::format("{} nodes with {} LLCs in all are stated, not {} with {}",
                                        specs.size(), llcs, topology.nodes, topology.llcs));
  return ok();
}

bool are_alike(const std::vector<NodeSpec>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](const auto& node) { return !node.memory && node == nodes.front(); });
}

}  // namespace

Result<Topology> Topology::of_nodes(std::vector<NodeSpec> nodes, std::size_t cores_per_llc,
                                    std::size_t threads_per_core, NodeRelations relations) {
  Topology topology{nodes.size(), 0, cores_per_llc, threads_per_core, {}, std::move(relations)};
  for (const auto& node : nodes) {
    if (node.llcs > CpuSet::kCapacity) return invalid_argument("more than 8192 LLCs");
    topology.llcs += node.llcs;
  }
  topology.node_specs = std::move(nodes);
  KTSTR_TRY(topology.check());
  if (are_alike(topology.node_specs)) topology.node_specs.clear();
  return topology;
}

Status Topology::check() const {
  KTSTR_TRY(check_counts(*this));
  KTSTR_TRY(check_nodes(*this));
  if (nodes == 1 && !relations.empty()) return invalid_argument("one node has no other to be distant from");
  return relations.check(nodes, nodes_with_cpus());
}

std::size_t Topology::nodes_with_cpus() const {
  if (node_specs.empty()) return nodes;
  return static_cast<std::size_t>(
      std::count_if(node_specs.begin(), node_specs.end(), [](const auto& node) { return node.llcs > 0; }));
}

std::optional<ByteSize> Topology::node_memory(std::size_t node) const {
  KTSTR_CHECK(node < nodes);
  return node_specs.empty() ? std::nullopt : node_specs[node].memory;
}

std::size_t Topology::node_llcs(std::size_t node) const {
  KTSTR_CHECK(node < nodes);
  return node_specs.empty() ? llcs / nodes : node_specs[node].llcs;
}

CpuSet Topology::llc_cpus(std::size_t llc) const {
  KTSTR_CHECK(llc < llcs);
  return CpuSet::range(llc * cpus_per_llc(), (llc + 1) * cpus_per_llc());
}

CpuSet Topology::node_cpus(std::size_t node) const {
  std::size_t first = 0;
  for (std::size_t before = 0; before < node; ++before) first += node_llcs(before);
  return CpuSet::range(first * cpus_per_llc(), (first + node_llcs(node)) * cpus_per_llc());
}

CpuSet Topology::core_cpus(std::size_t cpu) const {
  KTSTR_CHECK(cpu < cpus());
  const auto first = cpu - cpu % threads_per_core;
  return CpuSet::range(first, first + threads_per_core);
}

}  // namespace ktstr::vmm
