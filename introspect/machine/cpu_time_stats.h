// PerCpuTimeStats: where one CPU's time went since boot, and its interrupts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// enum of include/linux/interrupt.h, in the order and with the names of /proc/softirqs. The kernel's vectors
/// have not changed since 2009, and a reader finds each by its enumerator.
inline constexpr std::array<std::string_view, 10> kSoftirqNames = {
    "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"};

/// One CPU's counters as they stand in memory: cumulative, never brought up to date by being read.
///
/// User, nice, system, irq, softirq, steal and guest are what /proc/stat prints (there in clock ticks), up to
/// the last tick or switch that the CPU accounted. Idle and iowait need care. A CPU that stopped its tick
/// adds an idle period to its counters only when the period ends:
/// - kernels whose struct kernel_cpustat has idle_entrytime add it to CPUTIME_IDLE or CPUTIME_IOWAIT, so
///   /proc/stat says the counter plus the time since idle_since_ns;
/// - older kernels keep whole idle periods in tick_sched (idle_sleeptime_ns, iowait_sleeptime_ns), which is
///   what their /proc/stat says, again plus the time since idle_since_ns. Their cpustat_idle_ns and
///   cpustat_iowait_ns count by ticks and agree with neither exactly.
/// Which of the two the running period goes to is decided when it ends (or is read): iowait while tasks that
/// last ran there wait for I/O, idle otherwise.
struct PerCpuTimeStats {
  std::uint32_t cpu = 0;
  std::uint64_t cpustat_user_ns = 0;
  std::uint64_t cpustat_nice_ns = 0;
  std::uint64_t cpustat_system_ns = 0;
  std::uint64_t cpustat_softirq_ns = 0;
  std::uint64_t cpustat_irq_ns = 0;
  std::uint64_t cpustat_idle_ns = 0;
  std::uint64_t cpustat_iowait_ns = 0;
  std::uint64_t cpustat_steal_ns = 0;
  std::uint64_t cpustat_guest_ns = 0;
  std::uint64_t cpustat_guest_nice_ns = 0;
  std::array<std::uint64_t, kSoftirqNames.size()> softirqs{};
  std::uint64_t irqs_sum = 0;
  std::optional<std::uint64_t> idle_sleeptime_ns;
  std::optional<std::uint64_t> iowait_sleeptime_ns;
  std::optional<std::uint64_t> idle_since_ns;

  friend bool operator==(const PerCpuTimeStats&, const PerCpuTimeStats&) = default;

  static consteval auto describe() {
    using T = PerCpuTimeStats;
    return record(
        "where one CPU's time went since boot, and its interrupts", field<&T::cpu>("CPU"),
        field<&T::cpustat_user_ns>("user mode, guests included, ns"),
        field<&T::cpustat_nice_ns>("user mode of niced tasks, guests included, ns"),
        field<&T::cpustat_system_ns>("kernel mode, ns"), field<&T::cpustat_softirq_ns>("soft interrupts, ns"),
        field<&T::cpustat_irq_ns>("hard interrupts, ns"),
        field<&T::cpustat_idle_ns>("idle, without the idle period that is running, ns"),
        field<&T::cpustat_iowait_ns>(
            "idle while tasks waited for I/O, without the idle period that is running, ns"),
        field<&T::cpustat_steal_ns>("taken by the hypervisor, ns"),
        field<&T::cpustat_guest_ns>("running guests, a part of user, ns"),
        field<&T::cpustat_guest_nice_ns>("running niced guests, a part of nice, ns"),
        field<&T::softirqs>(
            "soft interrupts: HI, TIMER, NET_TX, NET_RX, BLOCK, IRQ_POLL, TASKLET, SCHED, HRTIMER, RCU"),
        field<&T::irqs_sum>("hard interrupts that have a descriptor").from("kernel_stat"),
        field<&T::idle_sleeptime_ns>(
            "whole idle periods without waiting for I/O (kernels that keep them apart from cpustat), ns")
            .from("tick_sched", {"idle_sleeptime"}),
        field<&T::iowait_sleeptime_ns>(
            "whole idle periods with tasks waiting for I/O (kernels that keep them apart from cpustat), ns")
            .from("tick_sched", {"iowait_sleeptime"}),
        field<&T::idle_since_ns>(
            "start of the idle period that no counter holds yet, ns of the guest's CLOCK_MONOTONIC"));
  }
};

}  // namespace ktstr::introspect
