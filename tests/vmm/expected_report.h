// What test_init reports of a guest that shows exactly a topology.
#pragma once

#include <string>

#include "vmm/topology.h"

namespace ktstr::vmm {

/// The answer to 't': LLCs and SMT siblings of each CPU, and the CPUs of each node.
inline std::string expected_report(const Topology& topology) {
  std::string report;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu)
    report += "cpu" + std::to_string(cpu) +
              " llc=" + topology.llc_cpus(cpu / topology.cpus_per_llc()).to_string() +
              " smt=" + topology.core_cpus(cpu).to_string() + "; ";
  for (std::size_t node = 0; node < topology.nodes; ++node)
    report += " node" + std::to_string(node) + "=" + topology.node_cpus(node).to_string();
  return report;
}

}  // namespace ktstr::vmm
