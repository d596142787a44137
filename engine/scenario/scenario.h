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

  static consteval auto describe() {
    using T = WorkGroup;
    return record("work group", "some workers of one kind", field<&T::work>("what each worker does"),
                  field<&T::workers>("how many workers; a multiple of the work type's group size"),
                  field<&T::workers_pct>("how many workers, as a fraction of the CPUs of the cgroup's "
                                         "cpuset, rounded up; instead of workers"),
                  field<&T::affinity>("the CPUs that each worker asks for"),
                  field<&T::policy>("scheduling policy"), field<&T::nice>("-20 to 19"),
                  field<&T::comm>("thread name, at most 15 bytes; the work type's name when empty"));
  }
};

/// A cgroup, its limits and its workers. `cpu_quota` is in CPUs (1.5: one and a half).
struct CgroupDef {
  std::optional<CpusetSpec> cpuset;
  std::vector<WorkGroup> works;
  std::optional<std::uint32_t> cpu_weight;
  std::optional<double> cpu_quota;
  std::optional<ByteSize> memory_max, memory_high;
  std::optional<std::uint32_t> pids_max;

  static consteval auto describe() {
    using T = CgroupDef;
    return record(
        "cgroup", "a cgroup, its limits and its workers",
        field<&T::cpuset>("the CPUs it may use; its parent's when absent"),
        field<&T::works>("groups of workers that start with the cgroup"),
        field<&T::cpu_weight>("cpu.weight, 1 to 10000"),
        field<&T::cpu_quota>("cpu.max, in CPUs (1.5: one and a half)"), field<&T::memory_max>("memory.max"),
        field<&T::memory_high>("memory.high: above it, workers are slowed down to give memory back"),
        field<&T::pids_max>("pids.max"));
  }
};

struct FixedHold {
  Duration duration;

  static consteval auto describe() {
    return record("fixed", "holds for a fixed time", field<&FixedHold::duration>("how long"));
  }
};
struct FractionHold {
  double fraction = 1;

  static consteval auto describe() {
    return record("fraction", "holds for a part of the scenario's duration",
                  field<&FractionHold::fraction>("which part, above 0 and at most 1"));
  }
};
/// Repeats the step's ops every `interval` until `duration` (the rest of the scenario when absent) is over.
struct LoopHold {
  Duration interval;
  std::optional<Duration> duration;

  static consteval auto describe() {
    using T = LoopHold;
    return record("loop", "repeats the step's ops at the start of every interval",
                  field<&T::interval>("time between two turns"),
                  field<&T::duration>("for how long; the rest of the scenario when absent"));
  }
};
/// Until the scenario's duration is over.
struct RestHold {
  static consteval auto describe() {
    return record<RestHold>("rest", "holds until the scenario's duration is over");
  }
};
using Hold = std::variant<FixedHold, FractionHold, LoopHold, RestHold>;

struct AddCgroupOp {
  std::string cgroup;
  CgroupDef def;

  static consteval auto describe() {
    using T = AddCgroupOp;
    return record("add_cgroup", "makes a cgroup and starts its workers", field<&T::cgroup>("its name"),
                  field<&T::def>("its cpuset, limits and works"));
  }
};
struct RemoveCgroupOp {
  std::string cgroup;

  static consteval auto describe() {
    return record("remove_cgroup", "stops the cgroup's workers, then removes it",
                  field<&RemoveCgroupOp::cgroup>("its name"));
  }
};
struct SetCpusetOp {
  std::string cgroup;
  CpusetSpec cpuset;

  static consteval auto describe() {
    using T = SetCpusetOp;
    return record("set_cpuset", "gives the cgroup another cpuset", field<&T::cgroup>("its name"),
                  field<&T::cpuset>("the new cpuset"));
  }
};
struct ClearCpusetOp {
  std::string cgroup;

  static consteval auto describe() {
    return record("clear_cpuset", "clears the cpuset: the cgroup uses its parent's",
                  field<&ClearCpusetOp::cgroup>("its name"));
  }
};
struct SwapCpusetsOp {
  std::string a;
  std::string b;

  static consteval auto describe() {
    using T = SwapCpusetsOp;
    return record("swap_cpusets", "exchanges the cpusets of two cgroups", field<&T::a>("one cgroup"),
                  field<&T::b>("the other"));
  }
};
struct SpawnOp {
  std::string cgroup;
  WorkGroup work;

  static consteval auto describe() {
    using T = SpawnOp;
    return record("spawn", "starts workers in a cgroup", field<&T::cgroup>("its name"),
                  field<&T::work>("which workers"));
  }
};
struct SpawnHostOp {
  WorkGroup work;

  static consteval auto describe() {
    return record("spawn_host", "starts workers in the agent's own cgroup, beside all others",
                  field<&SpawnHostOp::work>("which workers"));
  }
};
struct StopCgroupOp {
  std::string cgroup;

  static consteval auto describe() {
    return record("stop_cgroup", "stops the cgroup's workers and keeps the cgroup",
                  field<&StopCgroupOp::cgroup>("its name"));
  }
};
struct SetAffinityOp {
  std::string cgroup;
  AffinitySpec affinity;

  static consteval auto describe() {
    using T = SetAffinityOp;
    return record("set_affinity", "gives the cgroup's workers another affinity",
                  field<&T::cgroup>("its name"), field<&T::affinity>("the new affinity"));
  }
};
struct MoveAllTasksOp {
  std::string from;
  std::string to;

  static consteval auto describe() {
    using T = MoveAllTasksOp;
    return record("move_all_tasks", "moves all workers from one cgroup to another",
                  field<&T::from>("where they are"), field<&T::to>("where they go"));
  }
};
struct FreezeCgroupOp {
  std::string cgroup;

  static consteval auto describe() {
    return record("freeze_cgroup", "freezes the cgroup's workers (cgroup.freeze)",
                  field<&FreezeCgroupOp::cgroup>("its name"));
  }
};
struct UnfreezeCgroupOp {
  std::string cgroup;

  static consteval auto describe() {
    return record("unfreeze_cgroup", "lets a frozen cgroup's workers run again",
                  field<&UnfreezeCgroupOp::cgroup>("its name"));
  }
};
struct AttachSchedulerOp {
  SchedulerDef scheduler;

  static consteval auto describe() {
    return record("attach_scheduler", "starts a scheduler and waits until the kernel runs it",
                  field<&AttachSchedulerOp::scheduler>("which"));
  }
};
struct DetachSchedulerOp {
  static consteval auto describe() {
    return record<DetachSchedulerOp>("detach_scheduler",
                                     "ends the attached scheduler; the kernel's own continues");
  }
};
struct ReplaceSchedulerOp {
  SchedulerDef scheduler;
  std::optional<Handover> handover;

  static consteval auto describe() {
    using T = ReplaceSchedulerOp;
    return record("replace_scheduler",
                  "ends the attached scheduler and starts another, under whatever load there is",
                  field<&T::scheduler>("which"),
                  field<&T::handover>("\"cold\" or \"preloaded\"; the scheduler's own when absent"));
  }
};
struct RestartSchedulerOp {
  static consteval auto describe() {
    return record<RestartSchedulerOp>(
        "restart_scheduler",
        "ends the scheduler that was attached last, if it still lives, and starts it again");
  }
};
struct CaptureSnapshotOp {
  std::string name;

  static consteval auto describe() {
    return record("capture_snapshot",
                  "stops the guest for an instant and reads everything it holds into a dump",
                  field<&CaptureSnapshotOp::name>("what reports and the dump's file call it"));
  }
};
/// `map` in the ops on BPF maps: the kernel's name, the longer one that it was cut from, or a name that
/// pin_bpf_map gave. `variable`: one of a global section, or a part of it ("tuning.steps[2]").
struct WriteBpfMapOp {
  std::string map;
  std::string variable;
  Value value;

  static consteval auto describe() {
    using T = WriteBpfMapOp;
    return record("write_bpf_map",
                  "writes a variable of a BPF program's global section into the guest's memory",
                  field<&T::map>("the section's map, e.g. \"ktstr.bss\", or a name that pin_bpf_map gave"),
                  field<&T::variable>("the variable, or a member or element: \"tuning.steps[2]\""),
                  field<&T::value>("true or false, a number, or text for an array of char"));
  }
};
struct ReadBpfMapOp {
  std::string map;
  std::string variable;
  std::optional<std::string> name;

  static consteval auto describe() {
    using T = ReadBpfMapOp;
    return record("read_bpf_map",
                  "reads a variable of a BPF program's global section into the report's map_readings",
                  field<&T::map>("the section's map, e.g. \"ktstr.bss\", or a name that pin_bpf_map gave"),
                  field<&T::variable>("the variable, or a member or element: \"tuning.steps[2]\""),
                  field<&T::name>("what the report calls the reading"));
  }
};
struct PinBpfMapOp {
  std::string map;
  std::optional<std::string> name;

  static consteval auto describe() {
    using T = PinBpfMapOp;
    return record("pin_bpf_map",
                  "keeps a BPF map alive until the scenario ends, whatever becomes of its scheduler",
                  field<&T::map>("the map, of any type, e.g. \"ktstr.bss\""),
                  field<&T::name>(
                      "what later ops call this very map, e.g. when a replacement has one of the same name"));
  }
};
/// The tag is in the file's name.
struct CtprofOp {
  std::string tag;

  static consteval auto describe() {
    return record("ctprof",
                  "captures a profile of every thread in the guest, as `ktstr ctprof capture` does on a host",
                  field<&CtprofOp::tag>("what the report and the file, SCENARIO.TAG.ctprof.zst, call it"));
  }
};
/// For a look at where a scheduler, or an op, has left them.
struct CaptureCgroupProcsOp {
  std::string tag;

  static consteval auto describe() {
    return record("capture_cgroup_procs", "captures which processes are in each of the scenario's cgroups",
                  field<&CaptureCgroupProcsOp::tag>("what the report calls it"));
  }
};
using Op =
    std::variant<AddCgroupOp, RemoveCgroupOp, SetCpusetOp, ClearCpusetOp, SwapCpusetsOp, SpawnOp, SpawnHostOp,
                 StopCgroupOp, SetAffinityOp, MoveAllTasksOp, FreezeCgroupOp, UnfreezeCgroupOp,
                 AttachSchedulerOp, DetachSchedulerOp, ReplaceSchedulerOp, RestartSchedulerOp,
                 CaptureSnapshotOp, WriteBpfMapOp, ReadBpfMapOp, PinBpfMapOp, CtprofOp, CaptureCgroupProcsOp>;

/// Ops run first, then the cgroups of `setup` are made, then the hold; with the step they end, and what was
/// made inside them, unless `keep`. A step with a loop makes `setup` first and once, then runs its ops at the
/// start of every interval.
struct Step {
  std::vector<Op> ops;
  std::map<std::string, CgroupDef> setup;
  Hold hold = RestHold{};
  bool keep = false;

  static consteval auto describe() {
    using T = Step;
    return record("step", "ops, then cgroups, then a time in which they are watched",
                  field<&T::ops>("what to do, in order; positional values of k.step are ops too"),
                  field<&T::setup>("cgroups to make, by name; they end with the step"),
                  field<&T::hold>(
                      "how long the step lasts: a duration, a fraction of the scenario's, or a k.hold value"),
                  field<&T::keep>("whether the cgroups of setup stay when the step is over"));
  }
};

/// Cgroups that live for the whole scenario, apart from those that steps may touch.
struct Backdrop {
  std::map<std::string, CgroupDef> cgroups;

  static consteval auto describe() {
    return record("backdrop", "what lives for the whole scenario, untouched by steps",
                  field<&Backdrop::cgroups>("cgroups, by name"));
  }
};

struct MonitorOptions {
  Duration period = std::chrono::milliseconds(100);

  static consteval auto describe() {
    return record("monitor", "how run queues are sampled",
                  field<&MonitorOptions::period>("time between two samples, 1ms to 10s"));
  }
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
  std::optional<SchedulerDef> scheduler;
  bool workers_first = false;
  std::optional<Duration> watchdog_timeout;  ///< of schedulers that state none
  std::map<std::string, CgroupDef> cgroups;
  Backdrop backdrop;
  std::vector<Step> steps;
  MonitorOptions monitor;
  Expectations expect;
  std::optional<Value::Function> check;        ///< hook: may add failures to the report
  std::optional<Value::Function> on_snapshot;  ///< hook: gets every dump, and may add failures

  static consteval auto describe() {
    using T = Scenario;
    return record(
        "scenario", "a workload on a guest kernel, and what must hold",
        field<&T::name>("name in reports; the file's when absent"),
        field<&T::description>("one sentence for lists"),
        field<&T::topology>("NUMA nodes, LLCs, cores per LLC and threads per core, e.g. \"1n2l2c1t\", or a "
                            "table of nodes that differ"),
        field<&T::kernel>(
            "a path, a version or the beginning of one; the newest cached with sched_ext when absent"),
        field<&T::kaslr>("whether the kernel's addresses are randomised"),
        field<&T::kernel_args>("arguments appended to the kernel's command line"),
        field<&T::memory>("guest memory; raised to 64M per CPU, and at least 256M, when that is more; 64M "
                          "per CPU, and at least 512M, when absent, or what the topology's nodes state"),
        field<&T::statistics>("whether kernel.bpf_stats_enabled and kernel.sched_schedstats are switched on; "
                              "false leaves both, and what they count is absent"),
        field<&T::duration>("length of all steps together"),
        field<&T::scheduler>("attached before the first step; the kernel's own schedules when absent"),
        field<&T::workers_first>("whether the workers of `cgroups` and `backdrop` run before the scheduler "
                                 "is attached; otherwise they wait until it is"),
        field<&T::watchdog_timeout>(
            "how long a runnable task may wait before the kernel ends the scheduler; schedulers' own wins"),
        field<&T::cgroups>("cgroups that exist when the first step begins, by name"),
        field<&T::backdrop>("cgroups that live for the whole scenario"),
        field<&T::steps>("what happens, in order; one step that holds for the whole duration when absent"),
        field<&T::monitor>("how run queues are sampled"),
        field<&T::expect>("what must hold for the scenario to pass"),
        field<&T::check>("function(report): called after the run; a string, a list of strings or false that "
                         "it returns fails the run, true or nothing does not"),
        field<&T::on_snapshot>("function(snapshot): called with each dump, those taken when a scheduler "
                               "ended unasked included; what it returns fails the run, as with check"));
  }
};

}  // namespace ktstr::engine

namespace ktstr {

/// The form that scripts use: one table with the work type's own parameters and those of the group.
template <>
struct CustomReader<engine::WorkGroup> {
  static ReadStatus read(const Value& value, engine::WorkGroup& out, const ReadPlace& place,
                         MissingMembers missing);
};
/// Every member has a default, also inside an op.
template <>
struct CustomReader<engine::CgroupDef> {
  static ReadStatus read(const Value& value, engine::CgroupDef& out, const ReadPlace& place,
                         MissingMembers missing);
};
/// An op where a step should be is told.
template <>
struct CustomReader<engine::Step> {
  static ReadStatus read(const Value& value, engine::Step& out, const ReadPlace& place,
                         MissingMembers missing);
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
    return detail::read_plain(value, out, "a function", place);
  }
};
}  // namespace ktstr
