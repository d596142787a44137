// Scenario: what a script asks for, after checking. Plain data; the runner knows no Lua.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "engine/base/value.h"
#include "engine/scenario/placement.h"
#include "engine/scenario/work.h"
#include "engine/verdict/expectations.h"
#include "vmm/topology.h"

namespace ktstr::engine {

/// Some workers of one kind in one cgroup. Exactly one of workers and workers_pct is set after checking.
struct WorkGroup {
  Work work;
  std::optional<std::uint32_t> workers;
  std::optional<double> workers_pct;
  AffinitySpec affinity;
  Policy policy;
  std::int32_t nice = 0;
  std::string comm;
};

/// A cgroup, its limits and its workers. `cpu_quota` is a fraction of one CPU.
struct CgroupDef {
  std::optional<CpusetSpec> cpuset;
  std::vector<WorkGroup> works;
  std::optional<std::uint32_t> cpu_weight;
  std::optional<double> cpu_quota;
  std::optional<ByteSize> memory_max;
  std::optional<std::uint32_t> pids_max;
};

struct FixedHold { Duration duration; };
struct FractionHold { double fraction = 1; };
/// Repeats the step's ops every `interval` until `duration` (the rest of the scenario when absent) is over.
struct LoopHold { Duration interval; std::optional<Duration> duration; };
/// Until the scenario's duration is over.
struct RestHold {};
using Hold = std::variant<FixedHold, FractionHold, LoopHold, RestHold>;

struct AddCgroupOp { std::string cgroup; CgroupDef def; };
struct RemoveCgroupOp { std::string cgroup; };
struct SetCpusetOp { std::string cgroup; CpusetSpec cpuset; };
struct ClearCpusetOp { std::string cgroup; };
struct SwapCpusetsOp { std::string a; std::string b; };
struct SpawnOp { std::string cgroup; WorkGroup work; };
struct SpawnHostOp { WorkGroup work; };
struct StopCgroupOp { std::string cgroup; };
struct SetAffinityOp { std::string cgroup; AffinitySpec affinity; };
struct MoveAllTasksOp { std::string from; std::string to; };
struct FreezeCgroupOp { std::string cgroup; };
struct UnfreezeCgroupOp { std::string cgroup; };
using Op = std::variant<AddCgroupOp, RemoveCgroupOp, SetCpusetOp, ClearCpusetOp, SwapCpusetsOp, SpawnOp, SpawnHostOp, StopCgroupOp,
                        SetAffinityOp, MoveAllTasksOp, FreezeCgroupOp, UnfreezeCgroupOp>;

/// Ops run first, then the cgroups of `setup` are made, then the hold. A loop runs `setup` once and its ops every interval.
struct Step {
  std::vector<Op> ops;
  std::map<std::string, CgroupDef> setup;
  Hold hold;
};

/// Cgroups that live for the whole scenario, apart from those that steps may touch.
struct Backdrop {
  std::map<std::string, CgroupDef> cgroups;
};

struct MonitorOptions {
  Duration period = std::chrono::milliseconds(100);
};

struct Scenario {
  std::string name;
  std::string description;
  vmm::Topology topology;
  std::optional<std::string> kernel;  ///< PATH, VERSION or PREFIX; the command line's --kernel wins
  bool kaslr = true;
  std::vector<std::string> kernel_args;
  std::optional<ByteSize> memory;
  Duration duration = std::chrono::seconds(5);
  std::map<std::string, CgroupDef> cgroups;
  Backdrop backdrop;
  std::vector<Step> steps;
  MonitorOptions monitor;
  Expectations expect;
  std::optional<Value::Function> check;  ///< hook: may add failures to the report
};

}  // namespace ktstr::engine
