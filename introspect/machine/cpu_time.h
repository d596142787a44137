// kernel_cpustat, kstat and tick_cpu_sched: the per-CPU variables behind /proc/stat and /proc/softirqs.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "introspect/kernel.h"
#include "introspect/machine/readings.h"
#include "introspect/machine/stats.h"
#include "introspect/reader.h"

namespace ktstr::introspect {

/// include/linux/kernel_stat.h
struct KernelCpustatLayout : LayoutOf<"kernel_cpustat"> {
  Embedded cpustat{*this, {"cpustat"}};
  OptionalField<std::uint8_t> idle_elapse{*this, {"idle_elapse"}};
  OptionalField<std::uint64_t> idle_entrytime{*this, {"idle_entrytime"}};
};

/// include/linux/kernel_stat.h
struct KernelStatLayout : Reader<PerCpuTimeStats, "kernel_stat"> {
  Embedded softirqs{*this, {"softirqs"}};
};

/// kernel/time/tick-sched.h, of kernels that keep idle periods here (CONFIG_NO_HZ_COMMON, before commit
/// cf6444c3e1bb).
struct TickSchedLayout : Reader<PerCpuTimeStats, "tick_sched"> {
  /// TS_FLAG_IDLE_ACTIVE: an idle period runs that began at idle_entrytime.
  static constexpr std::uint64_t kIdleActive = 1U << 2;

  Field<std::uint64_t> flags{*this, {"flags"}};
  Field<std::uint64_t> idle_entrytime{*this, {"idle_entrytime"}};
};

/// Reads the CPU times of a guest. Const use is thread-safe.
class CpuTimeReader {
 public:
  /// Error: which symbol, structure or enumerator this kernel lacks.
  [[nodiscard]] static Result<CpuTimeReader> create(const Kernel& kernel);

  /// A row per possible CPU, ascending. Exact when the guest is frozen; otherwise the values of one row may
  /// be some instructions apart.
  [[nodiscard]] Readings<PerCpuTimeStats> read(const Kernel& kernel) const;

 private:
  using CpuTimeMember = std::uint64_t PerCpuTimeStats::*;
  struct Slot {
    CpuTimeMember member;
    std::size_t index;  ///< in cpustat[]
  };

  [[nodiscard]] Status find_cpustat(const Btf& btf);
  [[nodiscard]] Status find_softirqs(const Btf& btf);
  [[nodiscard]] Result<PerCpuTimeStats> read_cpu(const Kernel& kernel, std::size_t cpu) const;
  [[nodiscard]] Status read_cpustat(const Kernel& kernel, PerCpuTimeStats& stats) const;
  [[nodiscard]] Status read_interrupts(const Kernel& kernel, PerCpuTimeStats& stats) const;
  void read_tick_sched(const Kernel& kernel, PerCpuTimeStats& stats) const;

  KernelCpustatLayout cpustat_;
  KernelStatLayout kstat_;
  std::optional<TickSchedLayout> tick_sched_;
  std::array<Slot, 10> slots_{};
  std::array<std::size_t, kSoftirqNames.size()> softirq_indices_{};
};

}  // namespace ktstr::introspect
