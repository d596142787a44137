// A topology's notation: "1n2l4c2t", and behind it what differs from node to node.
#include <fmt/format.h>

#include <charconv>

#include "vmm/topology.h"

namespace ktstr::vmm {
namespace {

constexpr std::string_view kNodes = "nodes", kDistances = "distances", kLatency = "latency_ns",
                           kBandwidth = "bandwidth_mb_per_s";

Error bad_topology(std::string_view text, std::string_view rule) {
  return invalid_argument("\"" + std::string(text) + "\": " + std::string(rule));
}

/// Takes "NUMBER LETTER" off the front of `rest`; the number is positive and at most CpuSet::kCapacity.
bool take_count(std::string_view& rest, char letter, std::size_t& count) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc{} || digits == rest.size() || *end != letter) return false;
  rest.remove_prefix(digits + 1);
  return count > 0 && count <= CpuSet::kCapacity;
}

bool take_counts(std::string_view rest, Topology& topology) {
  return take_count(rest, 'n', topology.nodes) && take_count(rest, 'l', topology.llcs) &&
         take_count(rest, 'c', topology.cores_per_llc) && take_count(rest, 't', topology.threads_per_core) &&
         rest.empty();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, number) == std::from_chars_result{end, std::errc{}};
}

/// "LLCS" or "LLCS:MEMORY" for each node.
bool parse_nodes(std::string_view text, std::vector<NodeSpec>& nodes) {
  for (const auto part : split(text, ',')) {
    const auto colon = part.find(':');
    auto& node = nodes.emplace_back();
    if (!parse_number(part.substr(0, colon), node.llcs) || node.llcs > CpuSet::kCapacity) return false;
    if (colon == part.npos) continue;
    const auto memory = parse_byte_size(part.substr(colon + 1));
    if (!memory) return false;
    node.memory = *memory;
  }
  return true;
}

bool parse_matrix(std::string_view text, NodeMatrix& matrix) {
  for (const auto row : split(text, '/')) {
    auto& values = matrix.emplace_back();
    for (const auto value : split(row, ','))
      if (!parse_number(value, values.emplace_back())) return false;
  }
  return true;
}

bool parse_detail(std::string_view text, Topology& topology) {
  const auto equals = text.find('=');
  if (equals == text.npos) return false;
  const auto key = text.substr(0, equals), value = text.substr(equals + 1);
  if (key == kNodes) return topology.node_specs.empty() && parse_nodes(value, topology.node_specs);
  auto& relations = topology.relations;
  for (const auto& [name, matrix] :
       {std::pair(kDistances, &relations.distances), std::pair(kLatency, &relations.latency_ns),
        std::pair(kBandwidth, &relations.bandwidth_mb_per_s)})
    if (key == name) return matrix->empty() && parse_matrix(value, *matrix);
  return false;
}

std::string nodes_text(const std::vector<NodeSpec>& nodes) {
  std::string text;
  for (const auto& node : nodes) {
    text += (text.empty() ? "" : ",") + std::to_string(node.llcs);
    if (node.memory) text += ":" + format_byte_size(*node.memory);
  }
  return text;
}

std::string matrix_text(const NodeMatrix& matrix) {
  std::string text;
  for (const auto& row : matrix) text += fmt::format("{}{}", text.empty() ? "" : "/", fmt::join(row, ","));
  return text;
}

}  // namespace

Result<Topology> Topology::parse(std::string_view text) {
  Topology topology;
  const auto words = split(text, ' ');
  if (!take_counts(words.front(), topology))
    return bad_topology(text,
                        "not a topology such as \"1n2l4c2t\" (NUMA nodes, LLCs in all, cores per LLC, "
                        "threads per core, each 1 to 8192)");
  for (std::size_t i = 1; i < words.size(); ++i)
    if (!parse_detail(words[i], topology))
      return bad_topology(text, "\"" + std::string(words[i]) +
                                    "\" is not a list such as \"nodes=2:512M,1,0:256M\" or "
                                    "\"distances=10,20/20,10\"");
  if (auto checked = topology.check(); !checked) return bad_topology(text, checked.error().message);
  if (topology.node_specs.empty()) return topology;
  return of_nodes(topology.node_specs, topology.cores_per_llc, topology.threads_per_core, topology.relations);
}

std::string Topology::to_string() const {
  auto text = fmt::format("{}n{}l{}c{}t", nodes, llcs, cores_per_llc, threads_per_core);
  if (!node_specs.empty()) text += fmt::format(" {}={}", kNodes, nodes_text(node_specs));
  for (const auto& [name, matrix] :
       {std::pair(kDistances, &relations.distances), std::pair(kLatency, &relations.latency_ns),
        std::pair(kBandwidth, &relations.bandwidth_mb_per_s)})
    if (!matrix->empty()) text += fmt::format(" {}={}", name, matrix_text(*matrix));
  return text;
}

}  // namespace ktstr::vmm
