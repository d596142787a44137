// SchedDomainSnapshot: one level of a CPU's load balancing domains, and its statistics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

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
/// kernel.sched_schedstats is 0, when the counters stand still.
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

}  // namespace ktstr::introspect
