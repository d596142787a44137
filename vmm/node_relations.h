// NodeRelations: how far the memory of a machine's NUMA nodes is from their CPUs, as SLIT and HMAT tell it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// A value from node to node: a row for each node that reads, a column for each whose memory is read.
using NodeMatrix = std::vector<std::vector<std::uint32_t>>;

/// Relative distances of SLIT (ACPI 6.5, 5.2.17); 255 there is for nodes that can't be reached.
inline constexpr std::uint32_t kLocalDistance = 10;
inline constexpr std::uint32_t kRemoteDistance = 20;
inline constexpr std::uint32_t kLargestDistance = 254;

/// Of HMAT's entries (ACPI 6.5, 5.2.28.4), in ns and MB/s: 65535 is for what can't be reached.
inline constexpr std::uint32_t kLargestAttribute = 65534;

/// What is absent (empty) follows from the rest.
struct NodeRelations {
  NodeMatrix distances{};   ///< a row and a column for each node; empty: 10 and 20
  NodeMatrix latency_ns{};  ///< rows: the nodes with CPUs, which are the first; empty: 10 for each unit
                            ///< of distance, 100 to a node's own memory
  NodeMatrix bandwidth_mb_per_s{};  ///< as latency; empty: falls as distance grows, 20000 to a node's own

  /// Whether all of it follows.
  [[nodiscard]] bool empty() const;

  /// Preconditions: check(); the nodes exist, and `from` has CPUs where there are latencies or bandwidths.
  [[nodiscard]] std::uint32_t distance(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::uint32_t latency(std::size_t from, std::size_t to) const;    ///< ns
  [[nodiscard]] std::uint32_t bandwidth(std::size_t from, std::size_t to) const;  ///< MB/s

  /// The node whose CPUs reach the memory of `node` soonest: the first of those at the least latency, itself
  /// where it has CPUs. Preconditions: as above; the first `nodes_with_cpus` nodes have CPUs, at least one.
  [[nodiscard]] std::size_t nearest_cpus(std::size_t node, std::size_t nodes_with_cpus) const;

  /// Errors (kInvalidArgument): what Linux would not take for distances, i.e. a matrix of another size, one
  /// not symmetric, other than 10 on its diagonal or not 11 to 254 elsewhere; a latency or bandwidth that is
  /// not 1 to 65534.
  [[nodiscard]] Status check(std::size_t nodes, std::size_t nodes_with_cpus) const;

  friend bool operator==(const NodeRelations&, const NodeRelations&) = default;
};

}  // namespace ktstr::vmm
