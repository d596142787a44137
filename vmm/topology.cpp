#include "vmm/topology.h"

#include <charconv>

#include "engine/base/check.h"

namespace ktstr::vmm {
namespace {

Error bad_topology(std::string_view text, std::string_view rule) {
  return {ErrorCode::kInvalidArgument, "\"" + std::string(text) + "\": " + std::string(rule)};
}

/// Takes "NUMBER LETTER" off the front of `rest`; the number is positive and at most CpuSet::kCapacity.
bool take_count(std::string_view& rest, char letter, std::size_t& count) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc{} || digits == rest.size() || *end != letter) return false;
  rest.remove_prefix(digits + 1);
  return count > 0 && count <= CpuSet::kCapacity;
}

}  // namespace

Result<Topology> Topology::parse(std::string_view text) {
  Topology topology;
  auto rest = text;
  const bool well_formed = take_count(rest, 'n', topology.nodes) && take_count(rest, 'l', topology.llcs) &&
                           take_count(rest, 'c', topology.cores_per_llc) &&
                           take_count(rest, 't', topology.threads_per_core) && rest.empty();
  if (!well_formed)
    return bad_topology(text,
                        "not a topology such as \"1n2l4c2t\" (NUMA nodes, LLCs in all, cores per LLC, "
                        "threads per core, each 1 to 8192)");
  if (topology.llcs % topology.nodes != 0)
    return bad_topology(text, "the number of LLCs (" + std::to_string(topology.llcs) +
                                  ") must be a multiple of the number of NUMA nodes (" +
                                  std::to_string(topology.nodes) + ")");
  if (topology.cpus_per_llc() > CpuSet::kCapacity || topology.cpus() > CpuSet::kCapacity)
    return bad_topology(text, "more than " + std::to_string(CpuSet::kCapacity) + " CPUs");
  return topology;
}

std::string Topology::to_string() const {
  return std::to_string(nodes) + "n" + std::to_string(llcs) + "l" + std::to_string(cores_per_llc) + "c" +
         std::to_string(threads_per_core) + "t";
}

CpuSet Topology::llc_cpus(std::size_t llc) const {
  KTSTR_CHECK(llc < llcs);
  return CpuSet::range(llc * cpus_per_llc(), (llc + 1) * cpus_per_llc());
}

CpuSet Topology::node_cpus(std::size_t node) const {
  KTSTR_CHECK(node < nodes);
  const auto cpus_per_node = llcs_per_node() * cpus_per_llc();
  return CpuSet::range(node * cpus_per_node, (node + 1) * cpus_per_node);
}

CpuSet Topology::core_cpus(std::size_t cpu) const {
  KTSTR_CHECK(cpu < cpus());
  const auto first = cpu - cpu % threads_per_core;
  return CpuSet::range(first, first + threads_per_core);
}

}  // namespace ktstr::vmm
