// FailureDumpReport: everything that is read from one guest at one instant.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/format_version.h"
#include "introspect/arena/scx_static.h"
#include "introspect/arena/sdt_snapshot.h"
#include "introspect/bpf/programs.h"
#include "introspect/dump/map_dump.h"
#include "introspect/dump/origin.h"
#include "introspect/dump/sparse.h"
#include "introspect/machine/stats.h"
#include "introspect/monitor/event_timeline.h"
#include "introspect/runqueue/cpu_runqueue.h"
#include "introspect/scx/scx_state.h"
#include "introspect/task/enrichment.h"

namespace ktstr::introspect {

// Schema names and the reasons a section gives for being empty are part of docs/formats/dump.md: tools
// compare them byte for byte.

/// Raised with every member that dumps get (docs/formats/dump.md). Files without a version are 1.0.
inline constexpr FormatVersion kDumpFormat{1, 2};

/// Values of a dump's first member, `schema`.
inline constexpr std::string_view kSchemaSingle = "single";      ///< one instant: FailureDumpReport
inline constexpr std::string_view kSchemaDual = "dual";          ///< an early and a late one
inline constexpr std::string_view kSchemaDegraded = "degraded";  ///< the vCPUs could not be stopped

inline constexpr std::string_view kReasonNoStructOpsLoaded = "no struct_ops programs loaded";
inline constexpr std::string_view kReasonProgAccessorUnavailable = "prog accessor unavailable";

/// Beginnings of DegradedFailureDumpReport::reason; what was measured follows.
inline constexpr std::string_view kReasonDegradedRendezvousTimeout =
    "vCPU rendezvous timed out before parked acknowledgement";
inline constexpr std::string_view kReasonDegradedKillDuringRendezvous =
    "vCPU rendezvous aborted by external kill before parked acknowledgement";

/// One stopped vCPU.
struct VcpuRegSnapshot {
  std::uint64_t instruction_pointer = 0;
  std::uint64_t stack_pointer = 0;
  std::uint64_t page_table_root = 0;
  std::uint64_t flags = 0;
  bool user_mode = false;
  std::array<std::uint64_t, 16> general{};
  std::optional<std::string> symbol{};  ///< "schedule+0x1c"; absent outside the kernel image

  static consteval auto describe() {
    using T = VcpuRegSnapshot;
    return record("one vCPU's registers at the freeze", field<&T::instruction_pointer>("RIP"),
                  field<&T::stack_pointer>("RSP"), field<&T::page_table_root>("CR3, with its PCID"),
                  field<&T::flags>("RFLAGS"), field<&T::user_mode>("whether it was stopped in user mode"),
                  field<&T::general>("rax rbx rcx rdx rsi rdi rbp rsp r8 to r15"),
                  field<&T::symbol>("where it was stopped, when that is in the kernel image"));
  }
};

/// Hardware counters of one vCPU, guest execution only. No emulated machine has them.
struct VcpuPerfSample {
  std::uint64_t cycles = 0;
  std::uint64_t instructions = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t branch_misses = 0;

  static consteval auto describe() {
    using T = VcpuPerfSample;
    return record("one vCPU's hardware counters, guest execution only", field<&T::cycles>("CPU cycles"),
                  field<&T::instructions>("instructions retired"),
                  field<&T::cache_misses>("last-level cache misses"),
                  field<&T::branch_misses>("branches predicted wrongly"));
  }
};

/// Counters since the probe was attached. Zero: the event never came, or its hook is not in this kernel.
struct ProbeBssCounters {
  std::uint64_t probe_count = 0;
  std::uint64_t kprobe_returns = 0;
  std::uint64_t meta_miss = 0;
  std::uint64_t ringbuf_drops = 0;
  std::uint64_t timeline_count = 0;
  std::uint64_t timeline_drops = 0;
  std::uint64_t pi_count = 0;
  std::uint64_t pi_orphan_fexits = 0;
  std::uint64_t pi_class_change_count = 0;
  std::uint64_t pi_drops = 0;
  std::uint64_t lock_contend_count = 0;
  std::uint64_t lock_contend_drops = 0;
  std::uint64_t preempt_disable_count = 0;
  std::uint64_t preempt_enable_count = 0;
  std::uint64_t trigger_count = 0;

  static consteval auto describe() {
    using T = ProbeBssCounters;
    return record("what the probe counted, summed over CPUs",
                  field<&T::probe_count>("kprobe hits while the probe was on"),
                  field<&T::kprobe_returns>("hits that were recorded"),
                  field<&T::meta_miss>("hits at an address the probe did not know"),
                  field<&T::ringbuf_drops>("trigger records lost to a full ring"),
                  field<&T::timeline_count>("switches, migrations and wakeups recorded"),
                  field<&T::timeline_drops>("those lost to a full ring"),
                  field<&T::pi_count>("priority inheritance changes recorded"),
                  field<&T::pi_orphan_fexits>("ends of such a change without a beginning"),
                  field<&T::pi_class_change_count>("changes that moved a task to another class"),
                  field<&T::pi_drops>("changes lost to a full ring"),
                  field<&T::lock_contend_count>("lock contentions recorded"),
                  field<&T::lock_contend_drops>("contentions lost to a full ring"),
                  field<&T::preempt_disable_count>("outermost preempt_disable() calls"),
                  field<&T::preempt_enable_count>("outermost preempt_enable() calls"),
                  field<&T::trigger_count>("exits of a scheduler that the probe saw, of any kind"));
  }
};

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
  [[nodiscard]] static FailureDumpReport placeholder(const std::string& reason) {
    FailureDumpReport report;
    report.sdt_alloc_unavailable = reason;
    report.prog_runtime_stats_unavailable = reason;
    report.per_node_numa_unavailable = reason;
    report.cpu_runqueues_unavailable = reason;
    report.task_enrichments_unavailable = reason;
    report.scx_walker_unavailable = reason;
    report.is_placeholder = true;
    return report;
  }

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
