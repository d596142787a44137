#include "engine/dump/difference_kind.h"

#include <algorithm>
#include <span>

namespace ktstr::engine {
namespace {

using Names = std::string_view;

/// Sections of a report that are nothing but counters or addresses.
constexpr Names kCounterSections[] = {"per_cpu_time",      "system_psi",          "cgroup_psi",
                                      "per_node_numa",     "vcpu_perf_at_freeze", "event_counter_timeline",
                                      "prog_runtime_stats"};
constexpr Names kAddressSections[] = {"vcpu_regs", "active_map_kvas"};

/// Members of any record.
constexpr Names kCounters[] = {"nvcsw",
                               "nivcsw",
                               "signal_nvcsw",
                               "signal_nivcsw",
                               "run_time_ns",
                               "last_ran_ns",
                               "runnable_at",
                               "dsq_vtime",
                               "slice_ns",
                               "nr_switches",
                               "clock_ns",
                               "rq_clock",
                               "ops_qseq",
                               "kick_sync",
                               "seq",
                               "vruntime_ns",
                               "vlag_ns",
                               "base_vruntime_ns",
                               "deadline_ns",
                               "avg_vruntime_ns",
                               "runtime_left_ns",
                               "dump_truncated_at_us"};
constexpr Names kAddresses[] = {"user_addr", "user_vm_start", "pcs", "start_low32"};
constexpr Names kIds[] = {"target_type_id", "genn"};

bool is_one_of(std::span<const Names> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// A dump of two instants has two reports.
std::string_view in_report(std::string_view path) {
  for (const std::string_view part : {"early", "late"}) {
    if (path == part) return {};
    if (path.starts_with(std::string(part) + ".")) return path.substr(part.size() + 1);
  }
  return path;
}

}  // namespace

DifferenceKind kind_of_member(std::string_view path, std::string_view member) {
  path = in_report(path);
  if (path.empty() && (member == "origin" || is_one_of(kCounterSections, member)))
    return DifferenceKind::kCounter;
  if (path.empty() && is_one_of(kAddressSections, member)) return DifferenceKind::kAddress;
  if (member.ends_with("_kva") || member.ends_with("_kvas") || is_one_of(kAddresses, member))
    return DifferenceKind::kAddress;
  if (is_one_of(kIds, member) || (member == "id" && path.starts_with("maps["))) return DifferenceKind::kId;
  return is_one_of(kCounters, member) ? DifferenceKind::kCounter : DifferenceKind::kState;
}

bool holds_contents(std::string_view path, std::string_view member) {
  path = in_report(path);
  if (path.starts_with("maps["))
    return member == "value" || member == "key" || member == "payload" || member == "per_cpu";
  return path.starts_with("sdt_allocations[") && member == "payload";
}

}  // namespace ktstr::engine
