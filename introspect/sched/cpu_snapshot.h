// CpuSnapshot: what the monitor sees of one CPU and its scheduling domains at one instant, and what a kernel
// does not let it see.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/sched/event_counters.h"

namespace ktstr::introspect {

/// enum cpu_idle_type (include/linux/sched/idle.h): not idle, idle, newly idle.
inline constexpr std::size_t kIdleTypes = 3;
using PerIdleType = std::array<std::uint32_t, kIdleTypes>;

/// Load balancing counters of one struct sched_domain, cumulative since the domain was built.
/// lb_imbalance is the single counter that older kernels have instead of the four by cause.
struct SchedDomainStats {
  PerIdleType lb_count{};
  PerIdleType lb_failed{};
  PerIdleType lb_balanced{};
  std::optional<PerIdleType> lb_imbalance;
  std::optional<PerIdleType> lb_imbalance_load;
  std::optional<PerIdleType> lb_imbalance_util;
  std::optional<PerIdleType> lb_imbalance_task;
  std::optional<PerIdleType> lb_imbalance_misfit;
  PerIdleType lb_gained{};
  PerIdleType lb_hot_gained{};
  PerIdleType lb_nobusyg{};
  PerIdleType lb_nobusyq{};
  std::uint32_t alb_count = 0;
  std::uint32_t alb_failed = 0;
  std::uint32_t alb_pushed = 0;
  std::uint32_t sbe_count = 0;
  std::uint32_t sbe_balanced = 0;
  std::uint32_t sbe_pushed = 0;
  std::uint32_t sbf_count = 0;
  std::uint32_t sbf_balanced = 0;
  std::uint32_t sbf_pushed = 0;
  std::uint32_t ttwu_wake_remote = 0;
  std::uint32_t ttwu_move_affine = 0;
  std::uint32_t ttwu_move_balance = 0;

  static consteval auto describe() {
    using T = SchedDomainStats;
    return record(
        "load balancing counters of one domain; lists are by the state of the balancing CPU: busy, idle, "
        "newly idle",
        field<&T::lb_count>("load balance attempts").from("sched_domain"),
        field<&T::lb_failed>("attempts that found an imbalance but moved nothing").from("sched_domain"),
        field<&T::lb_balanced>("attempts that found no imbalance").from("sched_domain"),
        field<&T::lb_imbalance>("sum of the imbalances found (kernels that do not split it)")
            .from("sched_domain"),
        field<&T::lb_imbalance_load>("sum of the imbalances found in load").from("sched_domain"),
        field<&T::lb_imbalance_util>("sum of the imbalances found in utilisation").from("sched_domain"),
        field<&T::lb_imbalance_task>("sum of the imbalances found in number of tasks").from("sched_domain"),
        field<&T::lb_imbalance_misfit>("sum of the imbalances found in misfit tasks").from("sched_domain"),
        field<&T::lb_gained>("tasks pulled").from("sched_domain"),
        field<&T::lb_hot_gained>("tasks pulled although cache-hot").from("sched_domain"),
        field<&T::lb_nobusyg>("attempts that found no busiest group").from("sched_domain"),
        field<&T::lb_nobusyq>("attempts that found no busiest run queue").from("sched_domain"),
        field<&T::alb_count>("active balance attempts").from("sched_domain"),
        field<&T::alb_failed>("active balance attempts that moved nothing").from("sched_domain"),
        field<&T::alb_pushed>("tasks pushed by active balance").from("sched_domain"),
        field<&T::sbe_count>("balancing on exec (no longer counted by the kernel)").from("sched_domain"),
        field<&T::sbe_balanced>("exec found balance (no longer counted by the kernel)").from("sched_domain"),
        field<&T::sbe_pushed>("tasks pushed on exec (no longer counted by the kernel)").from("sched_domain"),
        field<&T::sbf_count>("balancing on fork (no longer counted by the kernel)").from("sched_domain"),
        field<&T::sbf_balanced>("fork found balance (no longer counted by the kernel)").from("sched_domain"),
        field<&T::sbf_pushed>("tasks pushed on fork (no longer counted by the kernel)").from("sched_domain"),
        field<&T::ttwu_wake_remote>("wakeups onto another CPU of this domain").from("sched_domain"),
        field<&T::ttwu_move_affine>("wakeups moved to the waking CPU for its cache").from("sched_domain"),
        field<&T::ttwu_move_balance>("wakeups moved for balance").from("sched_domain"));
  }
};

/// One struct sched_domain (include/linux/sched/topology.h) of one CPU.
/// newidle_*: absent where the kernel has no such member. stats: absent without CONFIG_SCHEDSTATS and while
/// kernel.sched_schedstats is 0, when the counters do not advance.
struct SchedDomainSnapshot {
  std::int32_t level = 0;
  std::optional<std::string> name;
  std::int32_t flags = 0;
  std::uint32_t span_weight = 0;
  std::string span;
  std::uint32_t balance_interval = 0;
  std::uint32_t nr_balance_failed = 0;
  std::optional<std::uint32_t> newidle_call;
  std::optional<std::uint32_t> newidle_success;
  std::optional<std::uint32_t> newidle_ratio;
  std::uint64_t max_newidle_lb_cost = 0;
  std::optional<SchedDomainStats> stats;

  static consteval auto describe() {
    using T = SchedDomainSnapshot;
    return record(
        "one level of a CPU's scheduling domains, lowest first",
        field<&T::level>("0 is the innermost").from("sched_domain"),
        field<&T::name>("SMT, MC, PKG, NUMA ..."), field<&T::flags>("SD_* bits").from("sched_domain"),
        field<&T::span_weight>("CPUs in the domain").from("sched_domain"),
        field<&T::span>("the CPUs, as a list"),
        field<&T::balance_interval>("time between balance attempts, ms").from("sched_domain"),
        field<&T::nr_balance_failed>("consecutive failed balance attempts").from("sched_domain"),
        field<&T::newidle_call>("newly idle balance attempts in the current window").from("sched_domain"),
        field<&T::newidle_success>("of these, successful").from("sched_domain"),
        field<&T::newidle_ratio>("chance of a newly idle balance attempt, in 1/1024").from("sched_domain"),
        field<&T::max_newidle_lb_cost>("longest newly idle balance so far, decaying, ns")
            .from("sched_domain"),
        field<&T::stats>("load balancing counters"));
  }
};

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

struct MissingCapability {
  std::string capability;
  std::string reason;

  static consteval auto describe() {
    using T = MissingCapability;
    return record("something that the guest's kernel does not let us see",
                  field<&T::capability>("what is absent from the samples"), field<&T::reason>("why"));
  }
};

}  // namespace ktstr::introspect
