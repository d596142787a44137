// AcpiConfig: what the ACPI tables tell of a machine beyond layout.h: its CPUs, NUMA nodes and distances.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "vmm/node_relations.h"

namespace ktstr::vmm::kvm {

struct MemoryRange {
  GuestPhys base;
  std::uint64_t bytes = 0;
};

/// Either may be empty, not both: memory without CPUs is what a CXL expander looks like.
struct NumaNode {
  CpuSet cpus;
  std::vector<MemoryRange> memory;
};

struct AcpiConfig {
  std::vector<std::uint32_t> apic_ids;  ///< by CPU number, ascending: Linux numbers CPUs in this order
  std::vector<NumaNode> nodes;          ///< one or none: the tables tell nothing of NUMA
  NodeRelations relations;
};

[[nodiscard]] inline bool has_numa(const AcpiConfig& config) {
  return config.nodes.size() > 1;
}

/// How many nodes have CPUs.
[[nodiscard]] std::size_t nodes_with_cpus(const AcpiConfig& config);

/// Errors (kInvalidArgument) name what Linux would refuse or number differently: no CPU, APIC ids that do
/// not ascend; with several nodes also a CPU in none, in two or beyond the last, a node with neither CPUs nor
/// memory, a node without CPUs before one with, and what NodeRelations::check() refuses.
[[nodiscard]] Status check_acpi_config(const AcpiConfig& config);

}  // namespace ktstr::vmm::kvm
