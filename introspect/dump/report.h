// FailureDumpReport: everything that is read from one guest at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/arena/scx_static.h"
#include "introspect/arena/sdt_snapshot.h"
#include "introspect/bpf/prog_info.h"
#include "introspect/dump/map_dump.h"
#include "introspect/dump/origin.h"
#include "introspect/dump/probe_counters.h"
#include "introspect/dump/schema.h"
#include "introspect/dump/sparse.h"
#include "introspect/dump/vcpu.h"
#include "introspect/machine/stats.h"
#include "introspect/monitor/event_timeline.h"
#include "introspect/runqueue/cpu_runqueue.h"
#include "introspect/scx/scx_state.h"
#include "introspect/task/enrichment.h"

namespace ktstr::introspect {

/// Lists are empty when there is nothing; where that could mean two things, a `*_unavailable` says which.
/// Addresses are of one boot: never compare them across runs. Whatever else kept a section from being whole
/// is a sentence in `problems`.
struct FailureDumpReport {
  std::string schema{kSchemaSingle};
  std::string format = kDumpFormat.to_string();
  DumpOrigin origin;
  std::optional<ScxExitRecord> exit_record{};
  std::vector<FailureDumpMap> maps;
  std::vector<std::optional<VcpuRegSnapshot>> vcpu_regs;
  std::optional<std::string> active_obj_name{};
  std::vector<std::uint64_t> active_map_kvas;
  std::vector<SdtAllocatorSnapshot> sdt_allocations;
  ScxStaticSnapshot scx_static_ranges;
  std::optional<std::string> sdt_alloc_unavailable{};
  std::vector<ProgRuntimeStats> prog_runtime_stats;
  std::optional<std::string> prog_runtime_stats_unavailable{};
  std::vector<ProgVerifierStats> prog_verifier_stats;
  std::vector<PerCpuTimeStats> per_cpu_time;
  std::optional<PsiStat> system_psi{};
  std::vector<CgroupPsiStat> cgroup_psi;
  std::vector<PerNodeNumaStats> per_node_numa;
  std::optional<std::string> per_node_numa_unavailable{};
  std::vector<TaskEnrichment> task_enrichments;
  std::optional<std::string> task_enrichments_unavailable{};
  std::vector<CpuRunqueue> cpu_runqueues;
  std::optional<std::string> cpu_runqueues_unavailable{};
  std::vector<EventCounterSample> event_counter_timeline;
  std::vector<RqScxState> rq_scx_states;
  std::vector<DsqState> dsq_states;
  std::optional<ScxSchedState> scx_sched_state{};
  std::optional<std::string> scx_walker_unavailable{};
  std::vector<std::optional<VcpuPerfSample>> vcpu_perf_at_freeze;
  std::optional<std::uint64_t> dump_truncated_at_us{};
  std::uint32_t maps_truncated = 0;
  std::optional<ProbeBssCounters> probe_counters{};
  bool is_placeholder = false;
  std::vector<std::string> problems;

  /// A report in the place of a dump that could not be taken: empty, every `*_unavailable` is `reason`.
  [[nodiscard]] static FailureDumpReport placeholder(const std::string& reason);

  static consteval auto describe() {
    using T = FailureDumpReport;
    return record(
        "everything read from one guest at one instant", field<&T::schema>("\"single\""),
        field<&T::format>("version of the dump's format, MAJOR.MINOR"),
        field<&T::origin>("why and when it was taken"), field<&T::exit_record>("why the scheduler ended"),
        field<&T::maps>("BPF maps, ascending by id"),
        field<&T::vcpu_regs>("registers by vCPU; null when they could not be read"),
        field<&T::active_obj_name>("BPF object of the loaded scheduler: what its maps' names begin with"),
        field<&T::active_map_kvas>("addresses of that object's maps"),
        field<&T::sdt_allocations>("objects in the scheduler's arena, by allocator"),
        field<&T::scx_static_ranges>("regions of bump allocators in the arena"),
        field<&T::sdt_alloc_unavailable>("why sdt_allocations is empty"),
        field<&T::prog_runtime_stats>("counters of struct_ops programs"),
        field<&T::prog_runtime_stats_unavailable>("why there are none"),
        field<&T::prog_verifier_stats>("what the verifier went through for each of them"),
        field<&T::per_cpu_time>("where each CPU's time went since boot, and its interrupts"),
        field<&T::system_psi>("pressure stall information of the whole system"),
        field<&T::cgroup_psi>("the same by cgroup"),
        field<&T::per_node_numa>("page allocations by NUMA node"),
        field<&T::per_node_numa_unavailable>("why there are none"),
        field<&T::task_enrichments>("all tasks of the system, at most 4096"),
        field<&T::task_enrichments_unavailable>("why there are none"),
        field<&T::cpu_runqueues>("what runs and waits on each CPU, by class"),
        field<&T::cpu_runqueues_unavailable>("why there are none"),
        field<&T::event_counter_timeline>(
            "sched_ext's event counters, summed over CPUs, by sample of the monitor"),
        field<&T::rq_scx_states>("sched_ext's part of each CPU's run queue"),
        field<&T::dsq_states>("dispatch queues and their tasks"),
        field<&T::scx_sched_state>("the loaded scheduler"),
        field<&T::scx_walker_unavailable>("why sched_ext's state is missing, or which part"),
        field<&T::vcpu_perf_at_freeze>("hardware counters by vCPU"),
        field<&T::dump_truncated_at_us>(
            "when the deadline was found to have passed, us from the beginning; what came later is missing"),
        field<&T::maps_truncated>("maps left out for that reason"),
        field<&T::probe_counters>("what the probe in the guest counted"),
        field<&T::is_placeholder>("whether this stands for a dump that could not be taken"),
        field<&T::problems>("what else could not be read, and why"));
  }
};

template <>
inline constexpr bool is_sparse<FailureDumpReport> = true;

}  // namespace ktstr::introspect
