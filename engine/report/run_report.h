// RunReport: everything that one run of a scenario yields. Text, JSON, KTAP and Lua hooks see this one
// description.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/format_version.h"
#include "engine/protocol/machine_messages.h"
#include "engine/report/artifacts.h"
#include "engine/report/provenance.h"
#include "engine/report/scheduler_report.h"
#include "engine/report/timeline.h"
#include "engine/report/vcpu_report.h"
#include "engine/verdict/expectations.h"
#include "engine/verdict/verdict.h"
#include "engine/verdict/worker_group.h"
#include "introspect/monitor/report.h"
#include "introspect/render/rendered_value_json.h"
#include "vmm/performance.h"

namespace ktstr::engine {

/// A variable of a BPF map as an op found it.
struct MapReading {
  std::uint32_t step = 0;
  std::uint64_t elapsed_ns = 0;
  std::string map;
  std::uint32_t map_id = 0;  ///< as bpftool shows it; tells maps of one name apart
  std::string variable;
  std::optional<std::string> name{};
  introspect::RenderedValue value{};

  static consteval auto describe() {
    using T = MapReading;
    return record("a variable of a BPF map at one instant", field<&T::step>("the step that read it, from 1"),
                  field<&T::elapsed_ns>("when it was read, ns since the machine's start"),
                  field<&T::map>("the map as the scenario calls it"),
                  field<&T::map_id>("the kernel's id of the map; tells those of one name apart"),
                  field<&T::variable>("the variable, member or element"),
                  field<&T::name>("what the scenario calls the reading"),
                  field<&T::value>("what it held: a plain value for scripts, tagged with its kind in JSON"));
  }
};

/// What a switch that is off would have counted is absent from dumps and samples, not 0.
struct StatisticsReport {
  bool asked = true;  ///< the scenario's `statistics`
  std::optional<bool> bpf_programs{};
  std::optional<bool> schedstats{};
  std::optional<std::string> problem{};

  static consteval auto describe() {
    using T = StatisticsReport;
    return record(
        "which of the kernel's optional statistics were kept",
        field<&T::asked>("whether the scenario wanted them switched on"),
        field<&T::bpf_programs>(
            "kernel.bpf_stats_enabled: calls of BPF programs and the time in them; absent: no such switch"),
        field<&T::schedstats>(
            "kernel.sched_schedstats: counters of run queues, domains and tasks; absent: no such switch"),
        field<&T::problem>("why they could not be switched on or read"));
  }
};

/// Its minor version is raised with every key that reports get (docs/formats/run-report.md). Files without a
/// minor version are 1.0.
inline constexpr FormatVersion kRunReportFormat{1, 1};

struct KernelReport {
  std::string version;
  std::optional<std::string> build_id{};
  std::optional<std::string> release{};

  static consteval auto describe() {
    using T = KernelReport;
    return record("the guest's kernel", field<&T::version>("as the kernel cache names it"),
                  field<&T::build_id>("build id of the image, hexadecimal"),
                  field<&T::release>("uname -r in the guest"));
  }
};

/// How a guest came to be ready.
enum class MachineOrigin {
  kBooted,
  kForked,  ///< from the snapshot of a guest that a run before had booted
};

struct MachineReport {
  std::optional<std::string> backend{};
  std::optional<std::string> program_version{};
  std::optional<MachineOrigin> origin{};
  std::optional<std::string> fork_problem{};
  std::optional<std::string> console_log_problem{};
  bool emulated = false;
  std::string topology;
  std::uint64_t cpus = 0;
  std::uint64_t memory_bytes = 0;
  bool kaslr = true;
  std::optional<vmm::MachinePerformance> performance{};
  std::optional<protocol::FoundTopology> found{};
  std::optional<std::uint64_t> memory_asked_bytes{};

  static consteval auto describe() {
    using T = MachineReport;
    return record(
        "the machine the guest ran on",
        field<&T::backend>("kvm, qemu-tcg or qemu-kvm; absent when none was started"),
        field<&T::program_version>("version of the QEMU that ran it; absent on ktstr's own machine"),
        field<&T::origin>("booted or forked; absent when none was started"),
        field<&T::fork_problem>(
            "why the guest was booted though it could have been forked, or why none can be forked from it"),
        field<&T::console_log_problem>("why the console log does not hold the whole console: its limit of "
                                       "64M, or an error of writing it"),
        field<&T::emulated>("whether instructions were emulated"),
        field<&T::topology>(
            "NUMA nodes, LLCs, cores per LLC, threads per core, and what differs from node to node"),
        field<&T::cpus>("CPUs"), field<&T::memory_bytes>("memory, bytes"),
        field<&T::kaslr>("whether the kernel's addresses were randomised"),
        field<&T::performance>("what of the host it had for itself; absent when nothing was asked for"),
        field<&T::found>("the topology as the guest's kernel found it; absent when it was not asked"),
        field<&T::memory_asked_bytes>(
            "memory that the scenario asked for, when that was too little and the guest got more, bytes"));
  }
};

/// Limits in force. emulation_factor: what those in `stretched` were multiplied with; 1 on hardware.
struct LimitsReport {
  WorkerLimits workers;
  introspect::MonitorThresholds monitor;
  double emulation_factor = 1;
  std::optional<SchedulerErrorExpectation> scheduler_error{};
  bool events_clean = false;
  Duration max_scheduler_gap = kMaxSchedulerGap;
  std::vector<std::string> stated;
  std::vector<std::string> stretched;

  static consteval auto describe() {
    using T = LimitsReport;
    return record(
        "limits in force", field<&T::workers>("worker checks"), field<&T::monitor>("monitor thresholds"),
        field<&T::emulation_factor>("factor in the limits that `stretched` names"),
        field<&T::scheduler_error>("the error that a scheduler had to end with"),
        field<&T::events_clean>("whether sched_ext event counters had to stay clean"),
        field<&T::max_scheduler_gap>("longest time without the wanted scheduler in a replacement"),
        field<&T::stated>(
            "names of the limits that the scenario or its scheduler states; they are in force as they are"),
        field<&T::stretched>("names of the defaults that were multiplied with emulation_factor"));
  }
};

/// How the monitor's thread fared. `monitor.samples` holds every sample_stride-th of the samples taken.
struct SamplingReport {
  std::uint64_t missed_periods = 0;
  std::uint64_t sample_stride = 1;
  std::uint64_t sample_bytes = 0;
  std::vector<std::string> slower;  ///< "every 200 ms from 3.2 s on"

  static consteval auto describe() {
    using T = SamplingReport;
    return record("how sampling went",
                  field<&T::missed_periods>("sampling times that passed before the sample before was done"),
                  field<&T::sample_stride>("monitor.samples holds every n-th of the samples taken"),
                  field<&T::sample_bytes>("memory that the samples took during the run, bytes"),
                  field<&T::slower>("from when on samples were taken farther apart, so that they fit into 1 "
                                    "GiB; empty when they did"));
  }
};

/// Where the time of a run went, ns. own = total - boot - hold.
struct TimingsReport {
  std::optional<std::uint64_t> prepare_ns{};
  std::optional<std::uint64_t> boot_ns{};
  std::optional<std::uint64_t> snapshot_ns{};  ///< taken for runs to come
  std::optional<std::uint64_t> attach_ns{};    ///< freeze, registers, KASLR, layouts, first sample
  std::optional<std::uint64_t> setup_ns{};
  std::uint64_t hold_ns = 0;
  std::optional<std::uint64_t> collect_ns{};
  std::optional<std::uint64_t> shutdown_ns{};
  std::uint64_t own_ns = 0;
  std::uint64_t total_ns = 0;

  static consteval auto describe() {
    using T = TimingsReport;
    return record(
        "where the time went", field<&T::prepare_ns>("kernel chosen, initramfs made, ns"),
        field<&T::boot_ns>("from the machine's start to a ready agent, ns; short for a fork"),
        field<&T::snapshot_ns>("snapshot taken for later runs, ns"),
        field<&T::attach_ns>("until the first sample could be taken, ns"),
        field<&T::setup_ns>("backdrop and cgroups made, ns"), field<&T::hold_ns>("all holds together, ns"),
        field<&T::collect_ns>("workers stopped and their reports read, ns"),
        field<&T::shutdown_ns>("guest ended, ns"), field<&T::own_ns>("total without boot and hold, ns"),
        field<&T::total_ns>("the whole run, ns"));
  }
};

struct RunReport {
  std::uint32_t format_version = kRunReportFormat.major;
  std::string format = kRunReportFormat.to_string();
  std::optional<std::string> started_at{};
  std::optional<ToolReport> ktstr{};
  std::optional<HostReport> host{};
  std::optional<ScriptReport> script{};
  std::string scenario;
  std::string description;
  Outcome verdict = Outcome::kSkip;
  std::optional<std::string> reason{};
  std::vector<Failure> failures;
  std::uint64_t seed = 0;
  std::string replay;
  KernelReport kernel;
  MachineReport machine;
  LimitsReport limits;
  std::vector<SchedulerReport> schedulers;
  std::vector<SchedulerGap> scheduler_gaps;
  Timeline timeline;
  std::vector<GroupSummary> groups;
  std::vector<WorkerGroup> workers;  ///< workers[i] is groups[i] in full
  std::optional<introspect::MonitorReport> monitor{};
  std::vector<MapReading> map_readings;       ///< in the order in which they were made
  std::vector<DumpReport> dumps;              ///< in the order in which they were taken
  std::vector<CtprofReport> ctprof_captures;  ///< likewise
  std::optional<std::string> monitor_problem{};
  SamplingReport sampling;
  std::optional<StatisticsReport> statistics{};
  std::optional<VcpuStatisticsReport> vcpu_statistics{};
  TimingsReport timings;
  std::vector<std::string> emulator_faults;
  std::optional<std::string> console_tail{};
  std::vector<std::string> not_judged;

  static consteval auto describe() {
    using T = RunReport;
    return record(
        "everything that one run of a scenario yields",
        field<&T::format_version>("major version of this format"),
        field<&T::format>("version of this format, MAJOR.MINOR"),
        field<&T::started_at>("when the run began, RFC 3339, UTC"), field<&T::ktstr>("the ktstr that ran it"),
        field<&T::host>("the machine that ktstr ran on"),
        field<&T::script>("the files that the scenario was read from"),
        field<&T::scenario>("the scenario's name"), field<&T::description>("the scenario's description"),
        field<&T::verdict>("fail, inconclusive, pass or skip"),
        field<&T::reason>("why the verdict is inconclusive or skip"),
        field<&T::failures>("what did not hold, the cause first"), field<&T::seed>("seed of random choices"),
        field<&T::replay>("a command that repeats the run"), field<&T::kernel>("the guest's kernel"),
        field<&T::machine>("the machine the guest ran on"), field<&T::limits>("limits in force"),
        field<&T::schedulers>("the schedulers that were started, in order"),
        field<&T::scheduler_gaps>("times without the scheduler that the scenario wants, in order"),
        field<&T::timeline>("what was done to the guest, and when"),
        field<&T::groups>("worker groups, each in one line"),
        field<&T::workers>("worker groups in full, in the same order"),
        field<&T::monitor>("what was read from the guest's memory"),
        field<&T::map_readings>("what read_bpf_map found, in order"),
        field<&T::dumps>("dumps taken during the run"),
        field<&T::ctprof_captures>("captures of all threads that ctprof ops took, in order"),
        field<&T::monitor_problem>("why there is no monitor, or why it ended early"),
        field<&T::sampling>("how sampling went"),
        field<&T::statistics>(
            "which of the kernel's optional statistics were kept; absent when the run did not come so far"),
        field<&T::vcpu_statistics>(
            "what the vCPUs did while the steps ran; absent where the machine counts nothing (QEMU)"),
        field<&T::timings>("where the time went"),
        field<&T::emulator_faults>("runs that the emulator spoiled and that were repeated"),
        field<&T::console_tail>("the guest's last console lines, when it did not end in order"),
        field<&T::not_judged>("checks that could not be made, and why"));
  }
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::MachineOrigin> = enumeration<engine::MachineOrigin>("MachineOrigin",
    {{"booted", engine::MachineOrigin::kBooted, "its kernel was booted for this run"},
     {"forked", engine::MachineOrigin::kForked, "it went on from the snapshot of a guest that an earlier run of the same command had booted alike"}});
// clang-format on
}  // namespace ktstr
