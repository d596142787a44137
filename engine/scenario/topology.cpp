#include "engine/scenario/topology.h"

namespace ktstr {

ReadStatus CustomReader<vmm::Topology>::read(const Value& value, vmm::Topology& out, const ReadPlace& place,
                                             MissingMembers) {
  if (!value.get_if<Value::Object>())
    return detail::read_notation(value, out, place, "a topology such as \"1n2l2c1t\", or a table with nodes",
                                 vmm::Topology::parse);
  engine::TopologySpec spec;
  if (auto error = detail::read_record(value, spec, place, MissingMembers::kKeepDefault)) return error;
  auto topology = vmm::Topology::of_nodes(
      std::move(spec.nodes), spec.cores_per_llc, spec.threads_per_core,
      {std::move(spec.distances), std::move(spec.latency_ns), std::move(spec.bandwidth_mb_per_s)});
  if (!topology) return place.error(topology.error().message);
  out = std::move(*topology);
  return {};
}

}  // namespace ktstr
