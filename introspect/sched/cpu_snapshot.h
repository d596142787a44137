// CpuSnapshot: what the monitor sees of one CPU at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/sched/domain_snapshot.h"
#include "introspect/sched/event_counters.h"

namespace ktstr::introspect {

/// Counters that struct rq has with CONFIG_SCHEDSTATS, cumulative since boot. run_delay and pcount always
/// count; the others only while kernel.sched_schedstats is 1, and are absent when it is not: they stand still
/// then.
struct RqSchedstat {
  std::uint64_t run_delay = 0;
  std::uint64_t pcount = 0;
  std::optional<std::uint32_t> yld_count;
  std::optional<std::uint32_t> sched_count;
  std::optional<std::uint32_t> sched_goidle;
  std::optional<std::uint32_t> ttwu_count;
  std::optional<std::uint32_t> ttwu_local;

  static constexpr std::string_view kConfig = "CONFIG_SCHEDSTATS";

  static consteval auto describe() {
    using T = RqSchedstat;
    return record(
        "one CPU's schedstat counters since boot",
        field<&T::run_delay>("time that tasks waited on this run queue, ns")
            .from("rq", {"rq_sched_info.run_delay"}, kConfig),
        field<&T::pcount>("times a task was put on this CPU").from("rq", {"rq_sched_info.pcount"}, kConfig),
        field<&T::yld_count>("calls of sched_yield()").from("rq", {"yld_count"}, kConfig),
        field<&T::sched_count>("calls of schedule()").from("rq", {"sched_count"}, kConfig),
        field<&T::sched_goidle>("calls of schedule() that left the CPU idle")
            .from("rq", {"sched_goidle"}, kConfig),
        field<&T::ttwu_count>("wakeups handled by this CPU").from("rq", {"ttwu_count"}, kConfig),
        field<&T::ttwu_local>("wakeups of tasks that then ran on the waking CPU")
            .from("rq", {"ttwu_local"}, kConfig));
  }
};

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

  static constexpr std::string_view kScxConfig = "CONFIG_SCHED_CLASS_EXT";

  static consteval auto describe() {
    using T = CpuSnapshot;
    return record(
        "one CPU at one instant", field<&T::nr_running>("runnable tasks").from("rq"),
        field<&T::offline>(
            "true while the CPU was offline, absent otherwise: it is left out of averages and judgements"),
        field<&T::scx_nr_running>("runnable tasks of sched_ext").from("rq", {"scx.nr_running"}, kScxConfig),
        field<&T::local_dsq_depth>("tasks in the local dispatch queue")
            .from("rq", {"scx.local_dsq.nr"}, kScxConfig),
        field<&T::rq_clock>("run queue clock, ns").from("rq", {"clock"}),
        field<&T::scx_flags>("SCX_RQ_* bits").from("rq", {"scx.flags"}, kScxConfig),
        field<&T::event_counters>("sched_ext events of the loaded scheduler"),
        field<&T::schedstat>("schedstat counters (CONFIG_SCHEDSTATS)"),
        field<&T::vcpu_cpu_time_ns>("CPU time of the host thread that runs this CPU, ns"),
        field<&T::sched_domains>("scheduling domains, lowest first"));
  }
};

}  // namespace ktstr::introspect
