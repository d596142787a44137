#include "engine/run/prepare_guest.h"

#include <string>
#include <vector>

namespace ktstr::engine {
namespace {

/// "0-1 2-3"
std::string listed(const std::vector<CpuSet>& sets) {
  std::string text;
  for (const auto& set : sets) text += (text.empty() ? "" : " ") + (set.empty() ? "(none)" : set.to_string());
  return text;
}

Error differs(const std::string& what, const std::string& found, const std::string& asked) {
  return {ErrorCode::kUnavailable,
          "the guest's kernel found the " + what + " " + found + ", the topology has " + asked};
}

CpuSet all_but(const CpuSet& cpus, const CpuSet& without) {
  CpuSet rest;
  for (const auto cpu : cpus.to_vector())
    if (!without.contains(cpu)) rest.add(cpu);
  return rest;
}

}  // namespace

Status check_found_topology(const vmm::Topology& asked, const protocol::FoundTopology& found) {
  const auto cpus = CpuSet::range(0, asked.cpus());
  if (const auto offline = all_but(cpus, found.online); !offline.empty())
    return Error{ErrorCode::kUnavailable, "CPUs " + offline.to_string() + " of topology " +
                                              asked.to_string() + " are not online in the guest (online " +
                                              found.online.to_string() + ", possible " +
                                              found.possible.to_string() + ")"};
  if (found.online != cpus) return differs("CPUs", found.online.to_string(), cpus.to_string());
  std::vector<CpuSet> llcs, nodes;
  for (std::size_t llc = 0; llc < asked.llcs; ++llc) llcs.push_back(asked.llc_cpus(llc));
  for (std::size_t node = 0; node < asked.nodes; ++node) nodes.push_back(asked.node_cpus(node));
  if (found.llcs && *found.llcs != llcs) return differs("LLCs", listed(*found.llcs), listed(llcs));
  if (found.nodes && *found.nodes != nodes) return differs("NUMA nodes", listed(*found.nodes), listed(nodes));
  return ok();
}

Status set_statistics(Guest& guest, bool on, StatisticsReport& report) {
  report.asked = on;
  auto answer = guest.ask(protocol::SetStatistics{on});
  if (!answer && answer.error().code == ErrorCode::kIo) {
    report.problem = std::move(answer.error().message);
    return ok();
  }
  const auto switches = KTSTR_TRY(std::move(answer));
  report.bpf_programs = switches.bpf_programs;
  report.schedstats = switches.schedstats;
  return ok();
}

}  // namespace ktstr::engine
