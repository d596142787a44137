// MonitorSample: every CPU of a guest at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "introspect/sched/domain_snapshot.h"
#include "introspect/sched/event_counters.h"
#include "introspect/sched/rq_snapshot.h"

namespace ktstr::introspect {

/// One CPU. Absent: the kernel has no such member, no scheduler is loaded (event_counters), one host thread
/// runs several vCPUs (vcpu_cpu_time_ns), or the domains were not read with this sample (sched_domains).
struct CpuSnapshot {
  std::uint32_t nr_running = 0;
  std::optional<bool> offline;
  std::optional<std::uint32_t> scx_nr_running;
  std::optional<std::uint32_t> local_dsq_depth;
  std::uint64_t rq_clock = 0;
  std::optional<std::uint32_t> scx_flags;
  std::optional<ScxEventCounters> event_counters;
  std::optional<RqSchedstat> schedstat;
  std::optional<std::uint64_t> vcpu_cpu_time_ns;
  std::optional<std::vector<SchedDomainSnapshot>> sched_domains;

  static consteval auto describe() {
    using T = CpuSnapshot;
    return record(
        "one CPU at one instant", field<&T::nr_running>("runnable tasks"),
        field<&T::offline>(
            "true while the CPU was offline, absent otherwise: it is left out of averages and judgements"),
        field<&T::scx_nr_running>("runnable tasks of sched_ext"),
        field<&T::local_dsq_depth>("tasks in the local dispatch queue"),
        field<&T::rq_clock>("run queue clock, ns"), field<&T::scx_flags>("SCX_RQ_* bits"),
        field<&T::event_counters>("sched_ext events of the loaded scheduler"),
        field<&T::schedstat>("schedstat counters (CONFIG_SCHEDSTATS)"),
        field<&T::vcpu_cpu_time_ns>("CPU time of the host thread that runs this CPU, ns"),
        field<&T::sched_domains>("scheduling domains, lowest first"));
  }
};

/// cpus[i] is CPU i. elapsed_ns is monotonic since the machine's start, the base that stimulus events use
/// too. scheduler_instance tells counters of different schedulers apart: it changes whenever another
/// scx_sched is the root, and is absent while none is, or while it can't be told (scheduler_unknown).
struct MonitorSample {
  std::uint64_t elapsed_ns = 0;
  std::uint64_t elapsed_ms = 0;
  std::optional<std::uint32_t> scheduler_instance;
  bool scheduler_unknown = false;
  std::vector<CpuSnapshot> cpus;
  std::vector<std::string> problems;

  /// A sample without CPUs yet; elapsed_ms is derived here and nowhere else. A negative time counts as 0.
  [[nodiscard]] static MonitorSample at(Duration elapsed);

  /// max(nr_running) / max(1, min(nr_running)) over the CPUs that are online: 0 when no CPU has a runnable
  /// task, 1 without CPUs.
  [[nodiscard]] double imbalance_ratio() const;

  /// Whether CPU `cpu` was known to be offline. Precondition: there is such a CPU.
  [[nodiscard]] bool is_offline(std::size_t cpu) const { return cpus[cpu].offline.value_or(false); }

  /// One counter summed over the CPUs that have it, saturating; absent when none has.
  [[nodiscard]] std::optional<std::int64_t> sum_event(
      std::optional<std::int64_t> ScxEventCounters::*counter) const;

  static consteval auto describe() {
    using T = MonitorSample;
    return record("every CPU of the guest at one instant",
                  field<&T::elapsed_ns>("time since the machine's start, ns"),
                  field<&T::elapsed_ms>("the same in whole ms"),
                  field<&T::scheduler_instance>(
                      "which loaded scheduler the event counters belong to: 1 for the first one seen"),
                  field<&T::scheduler_unknown>("whether it could not be read if a scheduler was loaded"),
                  field<&T::cpus>("by CPU number"),
                  field<&T::problems>("what could not be read with this sample, and why"));
  }
};

}  // namespace ktstr::introspect
