#include "vmm/node_relations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace ktstr::vmm {
namespace {

constexpr std::uint32_t kNanosecondsPerDistance = 10;
constexpr std::uint32_t kLocalBandwidth = 20'000;

bool has_size(const NodeMatrix& matrix, std::size_t rows, std::size_t columns) {
  return matrix.size() == rows &&
         std::all_of(matrix.begin(), matrix.end(), [&](const auto& row) { return row.size() == columns; });
}

Status check_pair(const NodeMatrix& rows, std::size_t a, std::size_t b) {
  if (rows[a][b] != rows[b][a])
    return invalid_argument(
        fmt::format("distances: from node {0} to {1} is {2}, back it is {3}", b, a, rows[b][a], rows[a][b]));
  if (rows[a][b] <= kLocalDistance || rows[a][b] > kLargestDistance)
    return invalid_argument(fmt::format("distances: from node {} to {} is {}, not {} to {}", b, a, rows[b][a],
                                        kLocalDistance + 1, kLargestDistance));
  return ok();
}

Status check_distances(const NodeMatrix& rows, std::size_t nodes) {
  if (!has_size(rows, nodes, nodes))
    return invalid_argument(fmt::format("distances: must be {0} rows of {0}, one for each node", nodes));
  for (std::size_t a = 0; a < nodes; ++a) {
    if (rows[a][a] != kLocalDistance)
      return invalid_argument(
          fmt::format("distances: from node {0} to itself is {1}, not {2}", a, rows[a][a], kLocalDistance));
    for (std::size_t b = 0; b < a; ++b) KTSTR_TRY(check_pair(rows, a, b));
  }
  return ok();
}

Status check_attribute(std::string_view name, const NodeMatrix& matrix, std::size_t rows,
                       std::size_t columns) {
  if (!has_size(matrix, rows, columns))
    return invalid_argument(
        fmt::format("{}: must be {} rows of {}, a row for each node with CPUs and a column for each", name,
                    rows, columns));
  for (std::size_t from = 0; from < rows; ++from)
    for (std::size_t to = 0; to < columns; ++to)
      if (matrix[from][to] == 0 || matrix[from][to] > kLargestAttribute)
        return invalid_argument(fmt::format("{}: from node {} to {} is {}, not 1 to {}", name, from, to,
                                            matrix[from][to], kLargestAttribute));
  return ok();
}

}  // namespace

bool NodeRelations::empty() const {
  return distances.empty() && latency_ns.empty() && bandwidth_mb_per_s.empty();
}

std::uint32_t NodeRelations::distance(std::size_t from, std::size_t to) const {
  if (!distances.empty()) return distances[from][to];
  return from == to ? kLocalDistance : kRemoteDistance;
}

std::uint32_t NodeRelations::latency(std::size_t from, std::size_t to) const {
  return latency_ns.empty() ? kNanosecondsPerDistance * distance(from, to) : latency_ns[from][to];
}

std::uint32_t NodeRelations::bandwidth(std::size_t from, std::size_t to) const {
  if (!bandwidth_mb_per_s.empty()) return bandwidth_mb_per_s[from][to];
  return kLocalBandwidth * kLocalDistance / distance(from, to);
}

std::size_t NodeRelations::nearest_cpus(std::size_t node, std::size_t nodes_with_cpus) const {
  if (node < nodes_with_cpus) return node;
  std::size_t nearest = 0;
  for (std::size_t from = 1; from < nodes_with_cpus; ++from)
    if (latency(from, node) < latency(nearest, node)) nearest = from;
  return nearest;
}

Status NodeRelations::check(std::size_t nodes, std::size_t nodes_with_cpus) const {
  if (!distances.empty()) KTSTR_TRY(check_distances(distances, nodes));
  if (!latency_ns.empty()) KTSTR_TRY(check_attribute("latency_ns", latency_ns, nodes_with_cpus, nodes));
  if (bandwidth_mb_per_s.empty()) return ok();
  return check_attribute("bandwidth_mb_per_s", bandwidth_mb_per_s, nodes_with_cpus, nodes);
}

}  // namespace ktstr::vmm
