#include "engine/guest/find_topology.h"

#include <algorithm>

#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kListLimit = 64 * 1024;

Result<std::string> read_line(const std::string& path) {
  auto text = KTSTR_TRY(read_file(path, kListLimit)).text;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<CpuSet> read_cpus(const std::string& path) {
  return CpuSet::parse(KTSTR_TRY(read_line(path)));
}

/// The CPUs that share `cpu`'s cache of the highest level; nothing where the kernel shows no caches.
std::optional<CpuSet> llc_of(const std::string& cpu_directory) {
  std::optional<CpuSet> llc;
  std::string highest;
  for (int index = 0;; ++index) {
    const auto cache = cpu_directory + "/cache/index" + std::to_string(index) + "/";
    const auto level = read_line(cache + "level");
    if (!level) return llc;
    if (llc && *level <= highest) continue;
    auto cpus = read_cpus(cache + "shared_cpu_list");
    if (!cpus) return std::nullopt;
    llc = std::move(*cpus);
    highest = *level;
  }
}

std::optional<std::vector<CpuSet>> find_llcs(const std::string& system, const CpuSet& online) {
  std::vector<CpuSet> llcs;
  CpuSet seen;
  for (const auto cpu : online.to_vector()) {
    if (seen.contains(cpu)) continue;
    auto llc = llc_of(system + "/cpu/cpu" + std::to_string(cpu));
    if (!llc || !llc->contains(cpu)) return std::nullopt;
    seen = seen | *llc;
    llcs.push_back(std::move(*llc));
  }
  return llcs;
}

std::optional<std::vector<CpuSet>> find_nodes(const std::string& system) {
  const auto online = read_cpus(system + "/node/online");
  if (!online) return std::nullopt;
  std::vector<CpuSet> nodes;
  for (const auto node : online->to_vector()) {
    auto cpus = read_cpus(system + "/node/node" + std::to_string(node) + "/cpulist");
    if (!cpus) return std::nullopt;
    nodes.push_back(std::move(*cpus));
  }
  return nodes;
}

}  // namespace

Result<protocol::FoundTopology> find_topology(const std::string& system) {
  protocol::FoundTopology found;
  found.possible = KTSTR_TRY(read_cpus(system + "/cpu/possible"));
  found.online = KTSTR_TRY(read_cpus(system + "/cpu/online"));
  found.llcs = find_llcs(system, found.online);
  found.nodes = find_nodes(system);
  return found;
}

}  // namespace ktstr::engine::guest
