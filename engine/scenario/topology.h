// The forms in which a scenario states its topology: the "1n2l2c1t" notation, or a table of nodes.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/read.h"
#include "vmm/topology.h"

namespace ktstr::engine {

/// The table, as it was written.
struct TopologySpec {
  std::vector<vmm::NodeSpec> nodes;
  std::size_t cores_per_llc = 1;
  std::size_t threads_per_core = 1;
  vmm::NodeMatrix distances;
  vmm::NodeMatrix latency_ns;
  vmm::NodeMatrix bandwidth_mb_per_s;

  static consteval auto describe() {
    using T = TopologySpec;
    return record("topology", "a machine whose nodes differ, or are not equally far from each other",
                  field<&T::nodes>("NUMA nodes; CPUs are numbered node by node, LLC by LLC"),
                  field<&T::cores_per_llc>("cores of each LLC"),
                  field<&T::threads_per_core>("threads of each core"),
                  field<&T::distances>("SLIT: a row for each node with a number for each: 10 to itself, 11 "
                                       "to 254 to others, the same both ways; 20 to others when absent"),
                  field<&T::latency_ns>("HMAT: a row for each node with CPUs with the ns to each node's "
                                        "memory, 1 to 65534; 10 for each unit of distance when absent"),
                  field<&T::bandwidth_mb_per_s>(
                      "HMAT: a row for each node with CPUs with the MB/s to each node's memory, 1 to 65534; "
                      "20000 at distance 10 and falling as it grows when absent"));
  }
};

}  // namespace ktstr::engine

namespace ktstr {

template <>
struct CustomReader<vmm::Topology> {
  static ReadStatus read(const Value& value, vmm::Topology& out, const ReadPlace& place,
                         MissingMembers missing);
};
}  // namespace ktstr
