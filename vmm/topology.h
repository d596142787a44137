// Topology: NUMA nodes, LLC groups, cores and SMT threads of a guest, from the "1n2l4c2t" notation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// `llcs` is the total over all nodes (a multiple of `nodes`); cores are per LLC, threads per core.
/// CPU numbers: node-major, then LLC, then core, then thread, so that every group is a contiguous range.
struct Topology {
  std::size_t nodes = 1;
  std::size_t llcs = 1;
  std::size_t cores_per_llc = 1;
  std::size_t threads_per_core = 1;

  /// "NnLlCcTt". Errors name the text and the rule it breaks.
  [[nodiscard]] static Result<Topology> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] std::size_t cpus_per_llc() const { return cores_per_llc * threads_per_core; }
  [[nodiscard]] std::size_t cpus() const { return llcs * cpus_per_llc(); }
  [[nodiscard]] std::size_t llcs_per_node() const { return llcs / nodes; }
  /// Preconditions: llc < llcs, node < nodes.
  [[nodiscard]] CpuSet llc_cpus(std::size_t llc) const;
  [[nodiscard]] CpuSet node_cpus(std::size_t node) const;
  /// SMT siblings of `cpu`, itself included. Precondition: cpu < cpus().
  [[nodiscard]] CpuSet core_cpus(std::size_t cpu) const;

  friend bool operator==(const Topology&, const Topology&) = default;
};

}  // namespace ktstr::vmm
