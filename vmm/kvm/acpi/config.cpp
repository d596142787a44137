#include "vmm/kvm/acpi/config.h"

#include <fmt/format.h>

#include <algorithm>

namespace ktstr::vmm::kvm {
namespace {

Status check_apic_ids(const std::vector<std::uint32_t>& ids) {
  if (ids.empty()) return invalid_argument("a machine needs a CPU");
  const auto wrong = std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>());
  if (wrong != ids.end())
    return invalid_argument(fmt::format("APIC ids must ascend: {} comes before {}", wrong[0], wrong[1]));
  return ok();
}

Status check_nodes(const AcpiConfig& config) {
  CpuSet taken;
  bool memory_only = false;
  for (std::size_t node = 0; node < config.nodes.size(); ++node) {
    const auto& [cpus, memory] = config.nodes[node];
    if (cpus.empty() && memory.empty())
      return invalid_argument(fmt::format("node {} has neither CPUs nor memory", node));
    if (!cpus.empty() && memory_only)
      return invalid_argument(
          fmt::format("node {} has CPUs and comes after one that has none: Linux numbers those with "
                      "CPUs first",
                      node));
    if (const auto twice = taken & cpus; !twice.empty())
      return invalid_argument(fmt::format("CPUs {} are in two nodes", twice.to_string()));
    taken = taken | cpus;
    memory_only = cpus.empty();
  }
  if (const auto all = CpuSet::range(0, config.apic_ids.size()); taken != all)
    return invalid_argument(
        fmt::format("the nodes have CPUs {}, the machine {}", taken.to_string(), all.to_string()));
  return ok();
}

Status check_memory(const std::vector<NumaNode>& nodes) {
  for (std::size_t node = 0; node < nodes.size(); ++node)
    for (const auto& range : nodes[node].memory)
      if (range.bytes == 0 || range.base + range.bytes < range.base)
        return invalid_argument(fmt::format("node {} has no memory at {:#x}", node, range.base.value()));
  return ok();
}

}  // namespace

std::size_t nodes_with_cpus(const AcpiConfig& config) {
  return static_cast<std::size_t>(std::count_if(config.nodes.begin(), config.nodes.end(),
                                                [](const auto& node) { return !node.cpus.empty(); }));
}

Status check_acpi_config(const AcpiConfig& config) {
  KTSTR_TRY(check_apic_ids(config.apic_ids));
  KTSTR_TRY(config.relations.check(config.nodes.size(), nodes_with_cpus(config)));
  if (!has_numa(config)) return ok();
  KTSTR_TRY(check_nodes(config));
  return check_memory(config.nodes);
}

}  // namespace ktstr::vmm::kvm
