// What a kernel counts of the whole machine, as plain records: CPU times, pressure, NUMA allocations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

/// One line of a pressure file (Documentation/accounting/psi.rst).
struct PsiHalf {
  std::uint64_t avg10 = 0;
  std::uint64_t avg60 = 0;
  std::uint64_t avg300 = 0;
  std::uint64_t total_usec = 0;

  friend bool operator==(const PsiHalf&, const PsiHalf&) = default;

  static consteval auto describe() {
    using T = PsiHalf;
    return record("time that tasks were stalled for one resource",
                  field<&T::avg10>("running average over 10 s, percent times 100"),
                  field<&T::avg60>("running average over 60 s, percent times 100"),
                  field<&T::avg300>("running average over 300 s, percent times 100"),
                  field<&T::total_usec>("since boot or the cgroup's creation, us"));
  }
};

/// Both lines of one resource. A line that the kernel does not print, or prints as zeros because it has no
/// meaning there (cpu.full of the whole system, irq.some), is absent.
struct PsiResource {
  std::optional<PsiHalf> some;
  std::optional<PsiHalf> full;

  friend bool operator==(const PsiResource&, const PsiResource&) = default;

  static consteval auto describe() {
    using T = PsiResource;
    return record("pressure of one resource", field<&T::some>("at least one task was stalled"),
                  field<&T::full>("all tasks that were not idle were stalled"));
  }
};

/// A struct psi_group as it stands in memory. Each CPU counts for itself; the kernel adds that to the totals
/// whenever one of the group's pressure files is read in the guest and, while tasks run in the group, every
/// two seconds, which is also when the averages move (avg_last_update_ns). So the totals are those of some
/// moment since then: a pressure file read now would say the same or more.
struct PsiStat {
  bool enabled = false;
  std::uint64_t avg_last_update_ns = 0;
  PsiResource cpu;
  PsiResource memory;
  PsiResource io;
  std::optional<PsiResource> irq;

  friend bool operator==(const PsiStat&, const PsiStat&) = default;

  static consteval auto describe() {
    using T = PsiStat;
    return record(
        "pressure stall information, as the kernel last added it up",
        field<&T::enabled>("whether it is counted (cgroup.pressure)").from("psi_group"),
        field<&T::avg_last_update_ns>("when the kernel last moved the averages, ns of its scheduler clock")
            .from("psi_group", {"avg_last_update"}),
        field<&T::cpu>("waiting for a CPU"), field<&T::memory>("waiting for memory"),
        field<&T::io>("waiting for I/O"),
        field<&T::irq>("held up by interrupts (CONFIG_IRQ_TIME_ACCOUNTING)"));
  }
};

struct CgroupPsiStat {
  std::string path;
  PsiStat psi;

  friend bool operator==(const CgroupPsiStat&, const CgroupPsiStat&) = default;

  static consteval auto describe() {
    using T = CgroupPsiStat;
    return record("pressure stall information of one cgroup",
                  field<&T::path>("from the root of the hierarchy: /ktstr/web"),
                  field<&T::psi>("its pressure"));
  }
};

/// Cumulative since boot (Documentation/admin-guide/numastat.rst), in pages: what
/// /sys/devices/system/node/nodeN/numastat says.
struct PerNodeNumaStats {
  std::uint32_t node = 0;
  std::uint64_t numa_hit = 0;
  std::uint64_t numa_miss = 0;
  std::uint64_t numa_foreign = 0;
  std::uint64_t numa_interleave_hit = 0;
  std::uint64_t numa_local = 0;
  std::uint64_t numa_other = 0;

  friend bool operator==(const PerNodeNumaStats&, const PerNodeNumaStats&) = default;

  static consteval auto describe() {
    using T = PerNodeNumaStats;
    return record("page allocations of one NUMA node since boot", field<&T::node>("node"),
                  field<&T::numa_hit>("pages allocated here as wanted"),
                  field<&T::numa_miss>("pages allocated here although another node was preferred"),
                  field<&T::numa_foreign>("pages wanted here but allocated on another node"),
                  field<&T::numa_interleave_hit>("interleaved pages allocated here as wanted"),
                  field<&T::numa_local>("pages allocated here by a process running here"),
                  field<&T::numa_other>("pages allocated here by a process running on another node"));
  }
};

}  // namespace ktstr::introspect
