// RqSnapshot and RqSchedstat: what one read of a struct rq yields.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/address.h"
#include "engine/base/describe.h"

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

  static consteval auto describe() {
    using T = RqSchedstat;
    return record("one CPU's schedstat counters since boot",
                  field<&T::run_delay>("time that tasks waited on this run queue, ns"),
                  field<&T::pcount>("times a task was put on this CPU"),
                  field<&T::yld_count>("calls of sched_yield()"),
                  field<&T::sched_count>("calls of schedule()"),
                  field<&T::sched_goidle>("calls of schedule() that left the CPU idle"),
                  field<&T::ttwu_count>("wakeups handled by this CPU"),
                  field<&T::ttwu_local>("wakeups of tasks that then ran on the waking CPU"));
  }
};

/// One struct rq (kernel/sched/sched.h) at one instant. The scx members are absent without
/// CONFIG_SCHED_CLASS_EXT.
struct RqSnapshot {
  std::uint32_t nr_running = 0;
  std::uint64_t clock_ns = 0;
  KernelVirt sd;  ///< lowest sched_domain, null when there is none or the kernel has no such member
  std::optional<std::uint32_t> scx_nr_running;
  std::optional<std::uint32_t> local_dsq_depth;
  std::optional<std::uint32_t> scx_flags;
  std::optional<RqSchedstat> schedstat;
};

}  // namespace ktstr::introspect
