// Scenario: what a script asks for, after checking. Plain data; the runner knows no Lua.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/read.h"
#include "engine/base/units.h"
#include "engine/base/value.h"
#include "engine/scenario/placement.h"
#include "engine/scenario/scheduler.h"
#include "engine/scenario/topology.h"
#include "engine/scenario/work.h"
#include "engine/verdict/expectations.h"

namespace ktstr::engine {

/// Some workers of one kind in one cgroup. Exactly one of workers and workers_pct is set after checking;
/// worker_count() (workers.h) tells how many that makes.
struct WorkGroup {
  Work work;
  std::optional<std::uint32_t> workers;
  std::optional<double> workers_pct;
  AffinitySpec affinity;
  Policy policy;
  std::int32_t nice = 0;
  std::string comm;
};

/// A cgroup, its limits and its workers. `cpu_quota` is in CPUs (1.5: one and a half).
struct CgroupDef {
  std::optional<CpusetSpec> cpuset;
  std::vector<WorkGroup> works;
  std::optional<std::uint32_t> cpu_weight;
  std::optional<double> cpu_quota;
  std::optional<ByteSize> memory_max;
  std::optional<std::uint32_t> pids_max;
};

struct FixedHold {
  Duration duration;
};
struct FractionHold {
  double fraction = 1;
};
/// Repeats the step's ops every `interval` until `duration` (the rest of the scenario when absent) is over.
struct LoopHold {
  Duration interval;
  std::optional<Duration> duration;
};
/// Until the scenario's duration is over.
struct RestHold {};
using Hold = std::variant<FixedHold, FractionHold, LoopHold, RestHold>;

struct AddCgroupOp {
  std::string cgroup;
  CgroupDef def;
};
struct RemoveCgroupOp {
  std::string cgroup;
};
struct SetCpusetOp {
  std::string cgroup;
  CpusetSpec cpuset;
};
struct ClearCpusetOp {
  std::string cgroup;
};
struct SwapCpusetsOp {
  std::string a;
  std::string b;
};
struct SpawnOp {
  std::string cgroup;
  WorkGroup work;
};
struct SpawnHostOp {
  WorkGroup work;
};
struct StopCgroupOp {
  std::string cgroup;
};
struct SetAffinityOp {
  std::string cgroup;
  AffinitySpec affinity;
};
struct MoveAllTasksOp {
  std::string from;
  std::string to;
};
struct FreezeCgroupOp {
  std::string cgroup;
};
struct UnfreezeCgroupOp {
  std::string cgroup;
};
struct AttachSchedulerOp {
  SchedulerDef scheduler;
};
struct DetachSchedulerOp {};
struct ReplaceSchedulerOp {
  SchedulerDef scheduler;
  std::optional<Handover> handover;  ///< absent: the scheduler's own
};
struct RestartSchedulerOp {};
struct CaptureSnapshotOp {
  std::string name;
};
/// `map` in the ops on BPF maps: the kernel's name, the longer one that it was cut from, or a name that
/// pin_bpf_map gave. `variable`: one of a global section, or a part of it ("tuning.steps[2]").
struct WriteBpfMapOp {
  std::string map;
  std::string variable;
  Value value;  ///< a boolean, number or text
};
struct ReadBpfMapOp {
  std::string map;
  std::string variable;
  std::optional<std::string> name;
};
struct PinBpfMapOp {
  std::string map;
  std::optional<std::string> name;
};
/// The tag is in the file's name.
struct CtprofOp {
  std::string tag;
};
using Op =
    std::variant<AddCgroupOp, RemoveCgroupOp, SetCpusetOp, ClearCpusetOp, SwapCpusetsOp, SpawnOp, SpawnHostOp,
                 StopCgroupOp, SetAffinityOp, MoveAllTasksOp, FreezeCgroupOp, UnfreezeCgroupOp,
                 AttachSchedulerOp, DetachSchedulerOp, ReplaceSchedulerOp, RestartSchedulerOp,
                 CaptureSnapshotOp, WriteBpfMapOp, ReadBpfMapOp, PinBpfMapOp, CtprofOp>;

/// Ops run first, then the cgroups of `setup` are made, then the hold. A step with a loop makes `setup` first
/// and once, then runs its ops at the start of every interval.
struct Step {
  std::vector<Op> ops;
  std::map<std::string, CgroupDef> setup;
  Hold hold = RestHold{};
};

/// Cgroups that live for the whole scenario, apart from those that steps may touch.
struct Backdrop {
  std::map<std::string, CgroupDef> cgroups;
};

struct MonitorOptions {
  Duration period = std::chrono::milliseconds(100);
};

/// Steps are never empty and all names, placements and times have been checked: see load.h.
struct Scenario {
  std::string name;
  std::string description;
  vmm::Topology topology;
  std::optional<std::string> kernel;  ///< PATH, VERSION or PREFIX; the command line's --kernel wins
  bool kaslr = true;
  std::vector<std::string> kernel_args;
  std::optional<ByteSize> memory;
  bool statistics = true;  ///< the kernel's optional ones are switched on
  Duration duration = std::chrono::seconds(5);
  std::optional<SchedulerDef> scheduler;     ///< attached before the first step; absent: the kernel's own
  bool workers_first = false;                ///< the workers of the first cgroups run before it is attached
  std::optional<Duration> watchdog_timeout;  ///< of schedulers that state none
  std::map<std::string, CgroupDef> cgroups;
  Backdrop backdrop;
  std::vector<Step> steps;
  MonitorOptions monitor;
  Expectations expect;
  std::optional<Value::Function> check;        ///< hook: may add failures to the report
  std::optional<Value::Function> on_snapshot;  ///< hook: gets every dump, and may add failures
};

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::WorkGroup> = record<engine::WorkGroup>("work group", "some workers of one kind",
    field("work", &engine::WorkGroup::work, "what each worker does"),
    field("workers", &engine::WorkGroup::workers, "how many workers; a multiple of the work type's group size"),
    field("workers_pct", &engine::WorkGroup::workers_pct, "how many workers, as a fraction of the CPUs of the cgroup's cpuset, rounded up; instead of workers"),
    field("affinity", &engine::WorkGroup::affinity, "the CPUs that each worker asks for"),
    field("policy", &engine::WorkGroup::policy, "scheduling policy"),
    field("nice", &engine::WorkGroup::nice, "-20 to 19"),
    field("comm", &engine::WorkGroup::comm, "thread name, at most 15 bytes; the work type's name when empty"));
template <> inline constexpr auto describe<engine::CgroupDef> = record<engine::CgroupDef>("cgroup", "a cgroup, its limits and its workers",
    field("cpuset", &engine::CgroupDef::cpuset, "the CPUs it may use; its parent's when absent"),
    field("works", &engine::CgroupDef::works, "groups of workers that start with the cgroup"),
    field("cpu_weight", &engine::CgroupDef::cpu_weight, "cpu.weight, 1 to 10000"),
    field("cpu_quota", &engine::CgroupDef::cpu_quota, "cpu.max, in CPUs (1.5: one and a half)"),
    field("memory_max", &engine::CgroupDef::memory_max, "memory.max"),
    field("pids_max", &engine::CgroupDef::pids_max, "pids.max"));

template <> inline constexpr auto describe<engine::FixedHold> = record<engine::FixedHold>("fixed", "holds for a fixed time",
    field("duration", &engine::FixedHold::duration, "how long"));
template <> inline constexpr auto describe<engine::FractionHold> = record<engine::FractionHold>("fraction", "holds for a part of the scenario's duration",
    field("fraction", &engine::FractionHold::fraction, "which part, above 0 and at most 1"));
template <> inline constexpr auto describe<engine::LoopHold> = record<engine::LoopHold>("loop", "repeats the step's ops at the start of every interval",
    field("interval", &engine::LoopHold::interval, "time between two turns"),
    field("duration", &engine::LoopHold::duration, "for how long; the rest of the scenario when absent"));
template <> inline constexpr auto describe<engine::RestHold> = record<engine::RestHold>("rest", "holds until the scenario's duration is over");

template <> inline constexpr auto describe<engine::AddCgroupOp> = record<engine::AddCgroupOp>("add_cgroup", "makes a cgroup and starts its workers",
    field("cgroup", &engine::AddCgroupOp::cgroup, "its name"),
    field("def", &engine::AddCgroupOp::def, "its cpuset, limits and works"));
template <> inline constexpr auto describe<engine::RemoveCgroupOp> = record<engine::RemoveCgroupOp>("remove_cgroup", "stops the cgroup's workers, then removes it",
    field("cgroup", &engine::RemoveCgroupOp::cgroup, "its name"));
template <> inline constexpr auto describe<engine::SetCpusetOp> = record<engine::SetCpusetOp>("set_cpuset", "gives the cgroup another cpuset",
    field("cgroup", &engine::SetCpusetOp::cgroup, "its name"),
    field("cpuset", &engine::SetCpusetOp::cpuset, "the new cpuset"));
template <> inline constexpr auto describe<engine::ClearCpusetOp> = record<engine::ClearCpusetOp>("clear_cpuset", "clears the cpuset: the cgroup uses its parent's",
    field("cgroup", &engine::ClearCpusetOp::cgroup, "its name"));
template <> inline constexpr auto describe<engine::SwapCpusetsOp> = record<engine::SwapCpusetsOp>("swap_cpusets", "exchanges the cpusets of two cgroups",
    field("a", &engine::SwapCpusetsOp::a, "one cgroup"),
    field("b", &engine::SwapCpusetsOp::b, "the other"));
template <> inline constexpr auto describe<engine::SpawnOp> = record<engine::SpawnOp>("spawn", "starts workers in a cgroup",
    field("cgroup", &engine::SpawnOp::cgroup, "its name"),
    field("work", &engine::SpawnOp::work, "which workers"));
template <> inline constexpr auto describe<engine::SpawnHostOp> = record<engine::SpawnHostOp>("spawn_host", "starts workers in the agent's own cgroup, beside all others",
    field("work", &engine::SpawnHostOp::work, "which workers"));
template <> inline constexpr auto describe<engine::StopCgroupOp> = record<engine::StopCgroupOp>("stop_cgroup", "stops the cgroup's workers and keeps the cgroup",
    field("cgroup", &engine::StopCgroupOp::cgroup, "its name"));
template <> inline constexpr auto describe<engine::SetAffinityOp> = record<engine::SetAffinityOp>("set_affinity", "gives the cgroup's workers another affinity",
    field("cgroup", &engine::SetAffinityOp::cgroup, "its name"),
    field("affinity", &engine::SetAffinityOp::affinity, "the new affinity"));
template <> inline constexpr auto describe<engine::MoveAllTasksOp> = record<engine::MoveAllTasksOp>("move_all_tasks", "moves all workers from one cgroup to another",
    field("from", &engine::MoveAllTasksOp::from, "where they are"),
    field("to", &engine::MoveAllTasksOp::to, "where they go"));
template <> inline constexpr auto describe<engine::FreezeCgroupOp> = record<engine::FreezeCgroupOp>("freeze_cgroup", "freezes the cgroup's workers (cgroup.freeze)",
    field("cgroup", &engine::FreezeCgroupOp::cgroup, "its name"));
template <> inline constexpr auto describe<engine::UnfreezeCgroupOp> = record<engine::UnfreezeCgroupOp>("unfreeze_cgroup", "lets a frozen cgroup's workers run again",
    field("cgroup", &engine::UnfreezeCgroupOp::cgroup, "its name"));
template <> inline constexpr auto describe<engine::AttachSchedulerOp> = record<engine::AttachSchedulerOp>("attach_scheduler", "starts a scheduler and waits until the kernel runs it",
    field("scheduler", &engine::AttachSchedulerOp::scheduler, "which"));
template <> inline constexpr auto describe<engine::DetachSchedulerOp> = record<engine::DetachSchedulerOp>("detach_scheduler", "ends the attached scheduler; the kernel's own goes on");
template <> inline constexpr auto describe<engine::ReplaceSchedulerOp> = record<engine::ReplaceSchedulerOp>("replace_scheduler", "ends the attached scheduler and starts another, under whatever load there is",
    field("scheduler", &engine::ReplaceSchedulerOp::scheduler, "which"),
    field("handover", &engine::ReplaceSchedulerOp::handover, "\"cold\" or \"preloaded\"; the scheduler's own when absent"));
template <> inline constexpr auto describe<engine::RestartSchedulerOp> = record<engine::RestartSchedulerOp>("restart_scheduler", "ends the scheduler that was attached last, if it still lives, and starts it again");
template <> inline constexpr auto describe<engine::CaptureSnapshotOp> = record<engine::CaptureSnapshotOp>("capture_snapshot", "stops the guest for an instant and reads everything it holds into a dump",
    field("name", &engine::CaptureSnapshotOp::name, "what reports and the dump's file call it"));
template <> inline constexpr auto describe<engine::WriteBpfMapOp> = record<engine::WriteBpfMapOp>("write_bpf_map", "writes a variable of a BPF program's global section into the guest's memory",
    field("map", &engine::WriteBpfMapOp::map, "the section's map, e.g. \"ktstr.bss\", or a name that pin_bpf_map gave"),
    field("variable", &engine::WriteBpfMapOp::variable, "the variable, or a member or element: \"tuning.steps[2]\""),
    field("value", &engine::WriteBpfMapOp::value, "true or false, a number, or text for an array of char"));
template <> inline constexpr auto describe<engine::ReadBpfMapOp> = record<engine::ReadBpfMapOp>("read_bpf_map", "reads a variable of a BPF program's global section into the report's map_readings",
    field("map", &engine::ReadBpfMapOp::map, "the section's map, e.g. \"ktstr.bss\", or a name that pin_bpf_map gave"),
    field("variable", &engine::ReadBpfMapOp::variable, "the variable, or a member or element: \"tuning.steps[2]\""),
    field("name", &engine::ReadBpfMapOp::name, "what the report calls the reading"));
template <> inline constexpr auto describe<engine::PinBpfMapOp> = record<engine::PinBpfMapOp>("pin_bpf_map", "keeps a BPF map alive until the scenario ends, whatever becomes of its scheduler",
    field("map", &engine::PinBpfMapOp::map, "the map, of any type, e.g. \"ktstr.bss\""),
    field("name", &engine::PinBpfMapOp::name, "what later ops call this very map, e.g. when a replacement has one of the same name"));
template <> inline constexpr auto describe<engine::CtprofOp> = record<engine::CtprofOp>("ctprof", "captures a profile of every thread in the guest, as `ktstr ctprof capture` does on a host",
    field("tag", &engine::CtprofOp::tag, "what the report and the file, SCENARIO.TAG.ctprof.zst, call it"));

template <> inline constexpr auto describe<engine::Step> = record<engine::Step>("step", "ops, then cgroups, then a time in which they are watched",
    field("ops", &engine::Step::ops, "what to do, in order; positional values of k.step are ops too"),
    field("setup", &engine::Step::setup, "cgroups to make, by name"),
    field("hold", &engine::Step::hold, "how long the step lasts: a duration, a fraction of the scenario's, or a k.hold value"));
template <> inline constexpr auto describe<engine::Backdrop> = record<engine::Backdrop>("backdrop", "what lives for the whole scenario, untouched by steps",
    field("cgroups", &engine::Backdrop::cgroups, "cgroups, by name"));
template <> inline constexpr auto describe<engine::MonitorOptions> = record<engine::MonitorOptions>("monitor", "how run queues are sampled",
    field("period", &engine::MonitorOptions::period, "time between two samples, 1ms to 10s"));
template <> inline constexpr auto describe<engine::Scenario> = record<engine::Scenario>("scenario", "a workload on a guest kernel, and what must hold",
    field("name", &engine::Scenario::name, "name in reports; the file's when absent"),
    field("description", &engine::Scenario::description, "one sentence for lists"),
    field("topology", &engine::Scenario::topology, "NUMA nodes, LLCs, cores per LLC and threads per core, e.g. \"1n2l2c1t\", or a table of nodes that differ"),
    field("kernel", &engine::Scenario::kernel, "a path, a version or the beginning of one; the newest cached with sched_ext when absent"),
    field("kaslr", &engine::Scenario::kaslr, "whether the kernel's addresses are randomised"),
    field("kernel_args", &engine::Scenario::kernel_args, "arguments appended to the kernel's command line"),
    field("memory", &engine::Scenario::memory, "guest memory; 64M per CPU, and at least 512M, when absent, or what the topology's nodes state"),
    field("statistics", &engine::Scenario::statistics, "whether kernel.bpf_stats_enabled and kernel.sched_schedstats are switched on; false leaves both, and what they count is absent"),
    field("duration", &engine::Scenario::duration, "length of all steps together"),
    field("scheduler", &engine::Scenario::scheduler, "attached before the first step; the kernel's own schedules when absent"),
    field("workers_first", &engine::Scenario::workers_first, "whether the workers of `cgroups` and `backdrop` run before the scheduler is attached; otherwise they wait until it is"),
    field("watchdog_timeout", &engine::Scenario::watchdog_timeout, "how long a runnable task may wait before the kernel ends the scheduler; schedulers' own wins"),
    field("cgroups", &engine::Scenario::cgroups, "cgroups that exist when the first step begins, by name"),
    field("backdrop", &engine::Scenario::backdrop, "cgroups that live for the whole scenario"),
    field("steps", &engine::Scenario::steps, "what happens, in order; one step that holds for the whole duration when absent"),
    field("monitor", &engine::Scenario::monitor, "how run queues are sampled"),
    field("expect", &engine::Scenario::expect, "what must hold for the scenario to pass"),
    field("check", &engine::Scenario::check, "function(report): called after the run; what it returns (a string or a list of strings) fails the run"),
    field("on_snapshot", &engine::Scenario::on_snapshot, "function(snapshot): called with each dump, those taken when a scheduler ended unasked included; what it returns fails the run, as with check"));
// clang-format on

/// The form that scripts use: one table with the work type's own parameters and those of the group.
template <>
struct CustomReader<engine::WorkGroup> {
  static ReadStatus read(const Value& value, engine::WorkGroup& out, const ReadPlace& place,
                         MissingMembers missing);
};
/// Every member has a default, also inside an op.
template <>
struct CustomReader<engine::CgroupDef> {
  static ReadStatus read(const Value& value, engine::CgroupDef& out, const ReadPlace& place, MissingMembers) {
    return detail::read_record(value, out, place, MissingMembers::kKeepDefault);
  }
};
/// "3s" is a fixed hold, 0.5 a fraction.
template <>
struct CustomReader<engine::Hold> {
  static ReadStatus read(const Value& value, engine::Hold& out, const ReadPlace& place,
                         MissingMembers missing);
};
template <>
struct CustomReader<engine::Op> {
  static ReadStatus read(const Value& value, engine::Op& out, const ReadPlace& place, MissingMembers) {
    return engine::read_choice(value, out, place, "an op such as k.op.stop_cgroup(\"web\")");
  }
};
template <>
struct CustomReader<Value::Function> {
  static ReadStatus read(const Value& value, Value::Function& out, const ReadPlace& place, MissingMembers) {
    const auto* function = value.get_if<Value::Function>();
    if (!function) return detail::wrong_kind(value, "a function", place);
    return out = *function, ReadStatus{};
  }
};
}  // namespace ktstr
