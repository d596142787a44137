// RunReport: everything that one run of a scenario yields. Text, JSON, KTAP and Lua hooks see this one
// description.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/ctprof_report.h"
#include "engine/report/dump_report.h"
#include "engine/report/map_reading.h"
#include "engine/report/scheduler_gap.h"
#include "engine/report/scheduler_report.h"
#include "engine/report/statistics_report.h"
#include "engine/report/timeline.h"
#include "engine/report/vcpu_report.h"
#include "engine/verdict/merge.h"
#include "engine/verdict/verdict.h"
#include "engine/verdict/worker_group.h"
#include "introspect/monitor/report.h"
#include "vmm/performance.h"

namespace ktstr::engine {

/// Raised with every change that a reader of older files would misread; see docs/formats/run-report.md.
inline constexpr std::uint32_t kRunReportVersion = 1;

struct KernelReport {
  std::string version;                    ///< as the kernel cache names it
  std::optional<std::string> build_id{};  ///< of the image
  std::optional<std::string> release{};   ///< uname -r, from the guest
};

/// How a guest came to be ready.
enum class MachineOrigin {
  kBooted,
  kForked,  ///< from the snapshot of a guest that a run before had booted
};

struct MachineReport {
  std::optional<std::string> backend{};  ///< absent when no machine was started
  std::optional<MachineOrigin> origin{};
  std::optional<std::string> fork_problem{};
  bool emulated = false;
  std::string topology;
  std::uint64_t cpus = 0;
  std::uint64_t memory_bytes = 0;
  bool kaslr = true;
  std::optional<vmm::MachinePerformance> performance{};  ///< absent when nothing was asked for
};

/// Limits in force. emulation_factor: what the time-dependent defaults among them were multiplied with; 1 on
/// hardware.
struct LimitsReport {
  WorkerLimits workers;
  introspect::MonitorThresholds monitor;
  double emulation_factor = 1;
  std::optional<SchedulerErrorExpectation> scheduler_error{};
  bool events_clean = false;
  Duration max_scheduler_gap = kMaxSchedulerGap;
};

/// How the monitor's thread fared. `monitor.samples` holds every sample_stride-th of the samples taken.
struct SamplingReport {
  std::uint64_t missed_periods = 0;
  std::uint64_t sample_stride = 1;
  std::uint64_t sample_bytes = 0;   ///< that the samples took
  std::vector<std::string> slower;  ///< "every 200 ms from 3.2 s on"
};

/// Where the time of a run went, ns. own = total - boot - hold.
struct TimingsReport {
  std::optional<std::uint64_t> prepare_ns{};  ///< kernel chosen, initramfs made
  std::optional<std::uint64_t> boot_ns{};     ///< from the machine's start, by boot or fork, to a ready agent
  std::optional<std::uint64_t> snapshot_ns{};  ///< taken for runs to come
  std::optional<std::uint64_t> attach_ns{};    ///< freeze, registers, KASLR, layouts, first sample
  std::optional<std::uint64_t> setup_ns{};     ///< backdrop and cgroups
  std::uint64_t hold_ns = 0;                   ///< all holds together
  std::optional<std::uint64_t> collect_ns{};   ///< workers stopped, reports here
  std::optional<std::uint64_t> shutdown_ns{};
  std::uint64_t own_ns = 0;
  std::uint64_t total_ns = 0;
};

struct RunReport {
  std::uint32_t format_version = kRunReportVersion;
  std::string scenario;
  std::string description;
  Outcome verdict = Outcome::kSkip;
  std::optional<std::string> reason{};  ///< why the verdict is inconclusive or skip
  std::vector<Failure> failures;        ///< the cause first
  std::uint64_t seed = 0;
  std::string replay;  ///< a command that repeats the run
  KernelReport kernel;
  MachineReport machine;
  LimitsReport limits;
  std::vector<SchedulerReport> schedulers;   ///< in the order in which they were started
  std::vector<SchedulerGap> scheduler_gaps;  ///< in order
  Timeline timeline;
  std::vector<GroupSummary> groups;
  std::vector<WorkerGroup> workers;  ///< workers[i] is groups[i] in full
  std::optional<introspect::MonitorReport> monitor{};
  std::vector<MapReading> map_readings;          ///< in the order in which they were made
  std::vector<DumpReport> dumps;                 ///< in the order in which they were taken
  std::vector<CtprofReport> ctprof_captures;     ///< likewise
  std::optional<std::string> monitor_problem{};  ///< why there is no monitor, or why it ended early
  SamplingReport sampling;
  std::optional<StatisticsReport> statistics{};           ///< absent when the run did not come so far
  std::optional<VcpuStatisticsReport> vcpu_statistics{};  ///< absent where the backend counts nothing
  TimingsReport timings;
  std::vector<std::string>
      emulator_faults;  ///< runs that the emulator spoiled and that were repeated from the start
  std::optional<std::string> console_tail{};  ///< the guest's last words, when it did not end in order
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::KernelReport> = record<engine::KernelReport>("KernelReport", "the guest's kernel",
    field("version", &engine::KernelReport::version, "as the kernel cache names it"),
    field("build_id", &engine::KernelReport::build_id, "build id of the image, hexadecimal"),
    field("release", &engine::KernelReport::release, "uname -r in the guest"));
template <> inline constexpr auto describe<engine::MachineOrigin> = enumeration<engine::MachineOrigin>("MachineOrigin",
    {{"booted", engine::MachineOrigin::kBooted, "its kernel was booted for this run"},
     {"forked", engine::MachineOrigin::kForked, "it went on from the snapshot of a guest that an earlier run of the same command had booted alike"}});
template <> inline constexpr auto describe<engine::MachineReport> = record<engine::MachineReport>("MachineReport", "the machine the guest ran on",
    field("backend", &engine::MachineReport::backend, "kvm, qemu-tcg or qemu-kvm; absent when none was started"),
    field("origin", &engine::MachineReport::origin, "booted or forked; absent when none was started"),
    field("fork_problem", &engine::MachineReport::fork_problem, "why the guest was booted though it could have been forked, or why none can be forked from it"),
    field("emulated", &engine::MachineReport::emulated, "whether instructions were emulated"),
    field("topology", &engine::MachineReport::topology, "NUMA nodes, LLCs, cores per LLC, threads per core, and what differs from node to node"),
    field("cpus", &engine::MachineReport::cpus, "CPUs"),
    field("memory_bytes", &engine::MachineReport::memory_bytes, "memory, bytes"),
    field("kaslr", &engine::MachineReport::kaslr, "whether the kernel's addresses were randomised"),
    field("performance", &engine::MachineReport::performance, "what of the host it had for itself; absent when nothing was asked for"));
template <> inline constexpr auto describe<engine::LimitsReport> = record<engine::LimitsReport>("LimitsReport", "limits in force",
    field("workers", &engine::LimitsReport::workers, "worker checks"),
    field("monitor", &engine::LimitsReport::monitor, "monitor thresholds"),
    field("emulation_factor", &engine::LimitsReport::emulation_factor, "factor in the time-dependent defaults among them"),
    field("scheduler_error", &engine::LimitsReport::scheduler_error, "the error that a scheduler had to end with"),
    field("events_clean", &engine::LimitsReport::events_clean, "whether sched_ext event counters had to stay clean"),
    field("max_scheduler_gap", &engine::LimitsReport::max_scheduler_gap, "longest time without the wanted scheduler in a replacement"));
template <> inline constexpr auto describe<engine::SamplingReport> = record<engine::SamplingReport>("SamplingReport", "how sampling went",
    field("missed_periods", &engine::SamplingReport::missed_periods, "sampling times that passed before the sample before was done"),
    field("sample_stride", &engine::SamplingReport::sample_stride, "monitor.samples holds every n-th of the samples taken"),
    field("sample_bytes", &engine::SamplingReport::sample_bytes, "memory that the samples took during the run, bytes"),
    field("slower", &engine::SamplingReport::slower, "from when on samples were taken farther apart, so that they fit into 1 GiB; empty when they did"));
template <> inline constexpr auto describe<engine::TimingsReport> = record<engine::TimingsReport>("TimingsReport", "where the time went",
    field("prepare_ns", &engine::TimingsReport::prepare_ns, "kernel chosen, initramfs made, ns"),
    field("boot_ns", &engine::TimingsReport::boot_ns, "from the machine's start to a ready agent, ns; short for a fork"),
    field("snapshot_ns", &engine::TimingsReport::snapshot_ns, "snapshot taken for later runs, ns"),
    field("attach_ns", &engine::TimingsReport::attach_ns, "until the first sample could be taken, ns"),
    field("setup_ns", &engine::TimingsReport::setup_ns, "backdrop and cgroups made, ns"),
    field("hold_ns", &engine::TimingsReport::hold_ns, "all holds together, ns"),
    field("collect_ns", &engine::TimingsReport::collect_ns, "workers stopped and their reports read, ns"),
    field("shutdown_ns", &engine::TimingsReport::shutdown_ns, "guest ended, ns"),
    field("own_ns", &engine::TimingsReport::own_ns, "total without boot and hold, ns"),
    field("total_ns", &engine::TimingsReport::total_ns, "the whole run, ns"));
template <> inline constexpr auto describe<engine::RunReport> = record<engine::RunReport>("RunReport", "everything that one run of a scenario yields",
    field("format_version", &engine::RunReport::format_version, "version of this format"),
    field("scenario", &engine::RunReport::scenario, "the scenario's name"),
    field("description", &engine::RunReport::description, "the scenario's description"),
    field("verdict", &engine::RunReport::verdict, "fail, inconclusive, pass or skip"),
    field("reason", &engine::RunReport::reason, "why the verdict is inconclusive or skip"),
    field("failures", &engine::RunReport::failures, "what did not hold, the cause first"),
    field("seed", &engine::RunReport::seed, "seed of random choices"),
    field("replay", &engine::RunReport::replay, "a command that repeats the run"),
    field("kernel", &engine::RunReport::kernel, "the guest's kernel"),
    field("machine", &engine::RunReport::machine, "the machine the guest ran on"),
    field("limits", &engine::RunReport::limits, "limits in force"),
    field("schedulers", &engine::RunReport::schedulers, "the schedulers that were started, in order"),
    field("scheduler_gaps", &engine::RunReport::scheduler_gaps, "times without the scheduler that the scenario wants, in order"),
    field("timeline", &engine::RunReport::timeline, "what was done to the guest, and when"),
    field("groups", &engine::RunReport::groups, "worker groups, each in one line"),
    field("workers", &engine::RunReport::workers, "worker groups in full, in the same order"),
    field("monitor", &engine::RunReport::monitor, "what was read from the guest's memory"),
    field("map_readings", &engine::RunReport::map_readings, "what read_bpf_map found, in order"),
    field("dumps", &engine::RunReport::dumps, "dumps taken during the run"),
    field("ctprof_captures", &engine::RunReport::ctprof_captures, "captures of all threads that ctprof ops took, in order"),
    field("monitor_problem", &engine::RunReport::monitor_problem, "why there is no monitor, or why it ended early"),
    field("sampling", &engine::RunReport::sampling, "how sampling went"),
    field("statistics", &engine::RunReport::statistics, "which of the kernel's optional statistics were kept; absent when the run did not come so far"),
    field("vcpu_statistics", &engine::RunReport::vcpu_statistics, "what the vCPUs did while the steps ran; absent where the machine counts nothing (QEMU)"),
    field("timings", &engine::RunReport::timings, "where the time went"),
    field("emulator_faults", &engine::RunReport::emulator_faults, "runs that the emulator spoiled and that were repeated"),
    field("console_tail", &engine::RunReport::console_tail, "the guest's last console lines, when it did not end in order"));
// clang-format on
}  // namespace ktstr
