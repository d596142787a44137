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
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::SchedDomainStats> = [] {
  using T = introspect::SchedDomainStats;
  return record<T>(
      "SchedDomainStats",
      "load balancing counters of one domain; lists are by the state of the balancing CPU: busy, idle, newly "
      "idle",
      field("lb_count", &T::lb_count, "load balance attempts"),
      field("lb_failed", &T::lb_failed, "attempts that found an imbalance but moved nothing"),
      field("lb_balanced", &T::lb_balanced, "attempts that found no imbalance"),
      field("lb_imbalance", &T::lb_imbalance, "sum of the imbalances found (kernels that do not split it)"),
      field("lb_imbalance_load", &T::lb_imbalance_load, "sum of the imbalances found in load"),
      field("lb_imbalance_util", &T::lb_imbalance_util, "sum of the imbalances found in utilisation"),
      field("lb_imbalance_task", &T::lb_imbalance_task, "sum of the imbalances found in number of tasks"),
      field("lb_imbalance_misfit", &T::lb_imbalance_misfit, "sum of the imbalances found in misfit tasks"),
      field("lb_gained", &T::lb_gained, "tasks pulled"),
      field("lb_hot_gained", &T::lb_hot_gained, "tasks pulled although cache-hot"),
      field("lb_nobusyg", &T::lb_nobusyg, "attempts that found no busiest group"),
      field("lb_nobusyq", &T::lb_nobusyq, "attempts that found no busiest run queue"),
      field("alb_count", &T::alb_count, "active balance attempts"),
      field("alb_failed", &T::alb_failed, "active balance attempts that moved nothing"),
      field("alb_pushed", &T::alb_pushed, "tasks pushed by active balance"),
      field("sbe_count", &T::sbe_count, "balancing on exec (no longer counted by the kernel)"),
      field("sbe_balanced", &T::sbe_balanced, "exec found balance (no longer counted by the kernel)"),
      field("sbe_pushed", &T::sbe_pushed, "tasks pushed on exec (no longer counted by the kernel)"),
      field("sbf_count", &T::sbf_count, "balancing on fork (no longer counted by the kernel)"),
      field("sbf_balanced", &T::sbf_balanced, "fork found balance (no longer counted by the kernel)"),
      field("sbf_pushed", &T::sbf_pushed, "tasks pushed on fork (no longer counted by the kernel)"),
      field("ttwu_wake_remote", &T::ttwu_wake_remote, "wakeups onto another CPU of this domain"),
      field("ttwu_move_affine", &T::ttwu_move_affine, "wakeups moved to the waking CPU for its cache"),
      field("ttwu_move_balance", &T::ttwu_move_balance, "wakeups moved for balance"));
}();

template <>
inline constexpr auto describe<introspect::SchedDomainSnapshot> = [] {
  using T = introspect::SchedDomainSnapshot;
  return record<T>(
      "SchedDomainSnapshot", "one level of a CPU's scheduling domains, lowest first",
      field("level", &T::level, "0 is the innermost"), field("name", &T::name, "SMT, MC, PKG, NUMA ..."),
      field("flags", &T::flags, "SD_* bits"), field("span_weight", &T::span_weight, "CPUs in the domain"),
      field("span", &T::span, "the CPUs, as a list"),
      field("balance_interval", &T::balance_interval, "time between balance attempts, ms"),
      field("nr_balance_failed", &T::nr_balance_failed, "consecutive failed balance attempts"),
      field("newidle_call", &T::newidle_call, "newly idle balance attempts in the current window"),
      field("newidle_success", &T::newidle_success, "of these, successful"),
      field("newidle_ratio", &T::newidle_ratio, "chance of a newly idle balance attempt, in 1/1024"),
      field("max_newidle_lb_cost", &T::max_newidle_lb_cost,
            "longest newly idle balance so far, decaying, ns"),
      field("stats", &T::stats, "load balancing counters"));
}();
}  // namespace ktstr
