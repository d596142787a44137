// Topology: NUMA nodes, LLC groups, cores and SMT threads of a guest, from the "1n2l4c2t" notation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "vmm/node_relations.h"

namespace ktstr::vmm {

/// One NUMA node of a machine whose nodes differ.
struct NodeSpec {
  std::size_t llcs = 0;
  std::optional<ByteSize> memory{};

  friend bool operator==(const NodeSpec&, const NodeSpec&) = default;

  static consteval auto describe() {
    using T = NodeSpec;
    return record("topology node", "one NUMA node of a machine whose nodes differ",
                  field<&T::llcs>("its LLCs; 0: a node without CPUs, as a CXL memory expander is, which must "
                                  "be behind those with CPUs"),
                  field<&T::memory>("its memory, whole 2M; an equal part of what the others leave of the "
                                    "scenario's memory when absent"));
  }
};

/// `llcs` is the total over all nodes; cores are per LLC, threads per core. Unless `node_specs` says how LLCs
/// and memory lie, nodes are alike.
/// CPU numbers: node-major, then LLC, then core, then thread, so that every group is a contiguous range.
struct Topology {
  std::size_t nodes = 1;
  std::size_t llcs = 1;
  std::size_t cores_per_llc = 1;
  std::size_t threads_per_core = 1;
  std::vector<NodeSpec> node_specs{};  ///< one for each node, those without CPUs last; or none
  NodeRelations relations{};

  /// "NnLlCcTt", and what else to_string() writes. Errors name the text and the rule it breaks.
  [[nodiscard]] static Result<Topology> parse(std::string_view text);
  /// A machine with these nodes. Errors: those of check().
  [[nodiscard]] static Result<Topology> of_nodes(std::vector<NodeSpec> nodes, std::size_t cores_per_llc,
                                                 std::size_t threads_per_core, NodeRelations relations = {});

  /// "2n4l2c1t"; where nodes differ, "3n3l2c1t nodes=2:512M,1,0:256M" (LLCs, memory), and the relations that
  /// were stated: " distances=10,20,30/20,10,30/30,30,10", " latency_ns=...", " bandwidth_mb_per_s=...".
  /// parse(to_string()) is the same topology.
  [[nodiscard]] std::string to_string() const;

  /// Errors (kInvalidArgument) name what no machine can be, or Linux would number differently: no CPU, or
  /// more than a CpuSet holds; LLCs that do not spread over nodes that are alike; a node without CPUs that
  /// comes first or before one with CPUs, or states no memory; too little memory, or not whole 2 MiB; those
  /// of NodeRelations::check().
  [[nodiscard]] Status check() const;

  [[nodiscard]] std::size_t cpus_per_llc() const { return cores_per_llc * threads_per_core; }
  [[nodiscard]] std::size_t cpus() const { return llcs * cpus_per_llc(); }
  /// How many nodes have CPUs; they are the first.
  [[nodiscard]] std::size_t nodes_with_cpus() const;
  /// The memory that `node` states. Preconditions, here and below: node < nodes, llc < llcs.
  [[nodiscard]] std::optional<ByteSize> node_memory(std::size_t node) const;
  [[nodiscard]] std::size_t node_llcs(std::size_t node) const;
  [[nodiscard]] CpuSet llc_cpus(std::size_t llc) const;
  [[nodiscard]] CpuSet node_cpus(std::size_t node) const;
  /// SMT siblings of `cpu`, itself included. Precondition: cpu < cpus().
  [[nodiscard]] CpuSet core_cpus(std::size_t cpu) const;

  friend bool operator==(const Topology&, const Topology&) = default;
};

}  // namespace ktstr::vmm
