#include "engine/scenario/topology.h"

namespace ktstr {
namespace {

Result<vmm::Topology> make_topology(const engine::TopologySpec& spec, vmm::NodeRelations relations) {
  return vmm::Topology::of_nodes(spec.nodes, spec.cores_per_llc, spec.threads_per_core, std::move(relations));
}

/// What is wrong with the nodes, or else with each relation between them.
ReadStatus check_parts(const engine::TopologySpec& spec, const ReadPlace& place) {
  ReadStatus status;
  for (const auto& part : {vmm::NodeRelations{}, vmm::NodeRelations{.distances = spec.distances},
                           vmm::NodeRelations{.latency_ns = spec.latency_ns},
                           vmm::NodeRelations{.bandwidth_mb_per_s = spec.bandwidth_mb_per_s}}) {
    const auto made = make_topology(spec, part);
    const bool is_told = !made && status && status->message == made.error().message;
    if (!made && !is_told) add_error(status, place.error(made.error().message));
  }
  return status;
}

}  // namespace

ReadStatus CustomReader<vmm::Topology>::read(const Value& value, vmm::Topology& out, const ReadPlace& place,
                                             MissingMembers) {
  if (!value.get_if<Value::Object>())
    return detail::read_notation(value, out, place, "a topology such as \"1n2l2c1t\", or a table with nodes",
                                 vmm::Topology::parse);
  engine::TopologySpec spec;
  if (auto error = detail::read_record(value, spec, place, MissingMembers::kKeepDefault)) return error;
  if (auto mistakes = check_parts(spec, place)) return mistakes;
  auto topology = make_topology(spec, {spec.distances, spec.latency_ns, spec.bandwidth_mb_per_s});
  if (!topology) return place.error(topology.error().message);
  out = std::move(*topology);
  return {};
}

}  // namespace ktstr
