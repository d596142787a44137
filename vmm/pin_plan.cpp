#include "vmm/pin_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace ktstr::vmm {
namespace {

using Cores = std::vector<std::vector<std::size_t>>;  ///< the usable CPUs of each core

/// The LLCs of each NUMA node of the host, in their order.
std::map<std::size_t, std::vector<Cores>> llcs_by_node(const HostTopology& host) {
  std::map<std::size_t, std::map<std::size_t, std::map<std::size_t, std::vector<std::size_t>>>> groups;
  for (const auto& cpu : host.cpus) groups[cpu.node][cpu.llc][cpu.core].push_back(cpu.cpu);
  std::map<std::size_t, std::vector<Cores>> nodes;
  for (const auto& [node, llcs] : groups)
    for (const auto& [_, cores] : llcs) {
      auto& llc = nodes[node].emplace_back();
      for (const auto& [first, cpus] : cores) llc.push_back(cpus);
    }
  return nodes;
}

std::string cores_text(std::size_t cores, std::size_t threads) {
  return fmt::format("{} core{} of {} thread{}", cores, cores == 1 ? "" : "s", threads,
                     threads == 1 ? "" : "s");
}

/// The cores that a guest LLC takes, or none when it does not fit.
Cores cores_for(const Cores& llc, const Topology& guest) {
  Cores taken;
  for (const auto& core : llc)
    if (core.size() >= guest.threads_per_core && taken.size() < guest.cores_per_llc) taken.push_back(core);
  return taken.size() == guest.cores_per_llc ? taken : Cores();
}

/// LLCs of a host node that a guest's fit on, from the next that is free on.
struct FittingNode {
  std::size_t node = 0;
  std::vector<Cores> llcs;
  std::size_t used = 0;
  [[nodiscard]] std::size_t left() const { return llcs.size() - used; }
};

/// Nodes that nobody is on yet before others, then those with more room.
bool better(const FittingNode& a, const FittingNode& b) {
  if ((a.used == 0) != (b.used == 0)) return a.used == 0;
  return a.left() > b.left();
}

FittingNode* choose(std::vector<FittingNode>& nodes, std::size_t llcs) {
  FittingNode* best = nullptr;
  for (auto& node : nodes)
    if (node.left() >= llcs && (best == nullptr || better(node, *best))) best = &node;
  return best;
}

std::vector<FittingNode> fitting_nodes(const HostTopology& host, const Topology& guest) {
  std::vector<FittingNode> nodes;
  for (const auto& [number, llcs] : llcs_by_node(host)) {
    auto& node = nodes.emplace_back(FittingNode{number, {}, 0});
    for (const auto& llc : llcs)
      if (auto cores = cores_for(llc, guest); !cores.empty()) node.llcs.push_back(std::move(cores));
  }
  return nodes;
}

Error cannot_pin(const Topology& guest, const std::string& needs, const std::string& host) {
  return {ErrorCode::kUnavailable, fmt::format("pinning {} needs {}; {}", guest.to_string(), needs, host)};
}

/// "2 with 4 cores of 2 threads": the usable LLCs by size.
std::vector<std::string> llc_sizes(const HostTopology& host) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [_, llcs] : llcs_by_node(host))
    for (const auto& llc : llcs) {
      std::size_t threads = 0;
      for (const auto& core : llc) threads = std::max(threads, core.size());
      ++counts[cores_text(llc.size(), threads)];
    }
  std::vector<std::string> sizes;
  for (const auto& [size, count] : counts) sizes.push_back(fmt::format("{} with {}", count, size));
  return sizes;
}

Error too_few_llcs(const HostTopology& host, const Topology& guest, std::size_t fitting) {
  return cannot_pin(guest,
                    fmt::format("{} LLC{} with {} each", guest.llcs, guest.llcs == 1 ? "" : "s",
                                cores_text(guest.cores_per_llc, guest.threads_per_core)),
                    fmt::format("of the LLCs that this process may use ({}) {} fit{}",
                                fmt::join(llc_sizes(host), ", "), fitting, fitting == 1 ? "s" : ""));
}

Error too_small_nodes(const std::vector<FittingNode>& nodes, const Topology& guest) {
  std::vector<std::size_t> wanted;
  for (std::size_t node = 0; node < guest.nodes; ++node) wanted.push_back(guest.node_llcs(node));
  std::vector<std::size_t> counts;
  for (const auto& node : nodes) counts.push_back(node.llcs.size());
  return cannot_pin(guest,
                    fmt::format("NUMA nodes with {} LLCs of {}", fmt::join(wanted, ", "),
                                cores_text(guest.cores_per_llc, guest.threads_per_core)),
                    fmt::format("this host's have {}", fmt::join(counts, ", ")));
}

/// The host CPUs of a guest node's vCPUs.
std::vector<std::size_t> take_llcs(FittingNode& node, std::size_t llcs, const Topology& guest) {
  std::vector<std::size_t> cpus;
  for (std::size_t llc = 0; llc < llcs; ++llc)
    for (const auto& core : node.llcs[node.used++])
      cpus.insert(cpus.end(), core.begin(),
                  core.begin() + static_cast<std::ptrdiff_t>(guest.threads_per_core));
  return cpus;
}

/// The guest's nodes, those first that are hardest to place.
std::vector<std::size_t> largest_first(const Topology& guest) {
  std::vector<std::size_t> nodes(guest.nodes);
  std::iota(nodes.begin(), nodes.end(), std::size_t{0});
  std::ranges::sort(nodes, {},
                    [&](std::size_t node) { return std::pair(guest.llcs - guest.node_llcs(node), node); });
  return nodes;
}

}  // namespace

Status check_cpu_count(std::size_t host_cpus, const Topology& guest, std::size_t spare) {
  if (host_cpus >= guest.cpus() + spare) return ok();
  return Error{
      ErrorCode::kUnavailable,
      fmt::format("{} needs {} host CPU{}: one for each vCPU{}; this process may use {}", guest.to_string(),
                  guest.cpus() + spare, guest.cpus() + spare == 1 ? "" : "s",
                  spare == 0 ? "" : fmt::format(" and {} that none of them runs on", spare), host_cpus)};
}

Result<PinPlan> plan_pinning(const HostTopology& host, const Topology& guest, std::size_t spare) {
  if (auto enough = check_cpu_count(host.cpus.size(), guest, spare); !enough)
    return Error{enough.error().code, "pinning " + enough.error().message};
  auto nodes = fitting_nodes(host, guest);
  std::size_t fitting = 0;
  for (const auto& node : nodes) fitting += node.llcs.size();
  if (fitting < guest.llcs) return too_few_llcs(host, guest, fitting);
  std::vector<std::vector<std::size_t>> cpus(guest.nodes);
  PinPlan plan{.vcpu_cpus = {}, .node_host_nodes = std::vector<CpuSet>(guest.nodes)};
  for (const auto i : largest_first(guest)) {
    auto* const node = choose(nodes, guest.node_llcs(i));
    if (node == nullptr) return too_small_nodes(nodes, guest);
    cpus[i] = take_llcs(*node, guest.node_llcs(i), guest);
    plan.node_host_nodes[i] = CpuSet{node->node};
  }
  for (const auto& of_node : cpus)
    plan.vcpu_cpus.insert(plan.vcpu_cpus.end(), of_node.begin(), of_node.end());
  return plan;
}

}  // namespace ktstr::vmm
