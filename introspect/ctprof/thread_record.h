// ThreadRecord: everything captured of one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "introspect/ctprof/quantity.h"

namespace ktstr::introspect::ctprof {

/// One thread. What could not be read is absent, never 0. The members after the identity are those of the
/// table of metrics (metrics.h), which says what each is.
struct ThreadRecord {
  std::uint32_t tid = 0;
  std::uint32_t tgid = 0;
  /// The process's and the thread's name, valid UTF-8 (text.h).
  std::optional<std::string> pcomm;
  std::optional<std::string> comm;
  /// Path in the cgroup v2 hierarchy, from the root of the capturing process's cgroup namespace.
  std::optional<std::string> cgroup;
  /// When the thread began, in ticks of USER_HZ since boot: with the tid, what tells one thread from the
  /// next.
  std::optional<std::uint64_t> start_time_clock_ticks;

  std::optional<Category> policy;
  std::optional<OrdinalI32> nice;
  std::optional<OrdinalI32> priority;
  std::optional<OrdinalU32> rt_priority;
  std::optional<CpuAffinity> cpu_affinity;
  std::optional<OrdinalI32> processor;
  std::optional<StateLetter> state;
  std::optional<Flag> ext_enabled;
  std::optional<GaugeCount> nr_threads;

  std::optional<MonotonicNs> run_time_ns;
  std::optional<MonotonicNs> wait_time_ns;
  std::optional<MonotonicCount> timeslices;
  std::optional<MonotonicCount> voluntary_csw;
  std::optional<MonotonicCount> nonvoluntary_csw;

  std::optional<MonotonicCount> nr_wakeups;
  std::optional<MonotonicCount> nr_wakeups_local;
  std::optional<MonotonicCount> nr_wakeups_remote;
  std::optional<MonotonicCount> nr_wakeups_sync;
  std::optional<MonotonicCount> nr_wakeups_migrate;
  std::optional<MonotonicCount> nr_wakeups_affine;
  std::optional<MonotonicCount> nr_wakeups_affine_attempts;
  std::optional<MonotonicCount> nr_migrations;
  std::optional<MonotonicCount> nr_forced_migrations;
  std::optional<MonotonicCount> nr_failed_migrations_affine;
  std::optional<MonotonicCount> nr_failed_migrations_running;
  std::optional<MonotonicCount> nr_failed_migrations_hot;

  std::optional<MonotonicNs> wait_sum;
  std::optional<MonotonicCount> wait_count;
  std::optional<PeakNs> wait_max;
  std::optional<MonotonicNs> voluntary_sleep_ns;
  std::optional<PeakNs> sleep_max;
  std::optional<MonotonicNs> block_sum;
  std::optional<PeakNs> block_max;
  std::optional<MonotonicNs> iowait_sum;
  std::optional<MonotonicCount> iowait_count;
  std::optional<PeakNs> exec_max;
  std::optional<PeakNs> slice_max;
  std::optional<MonotonicNs> core_forceidle_sum;
  std::optional<GaugeNs> fair_slice_ns;

  std::optional<Bytes> allocated_bytes;
  std::optional<Bytes> deallocated_bytes;

  std::optional<MonotonicCount> minflt;
  std::optional<MonotonicCount> majflt;
  std::optional<ClockTicks> utime_clock_ticks;
  std::optional<ClockTicks> stime_clock_ticks;

  std::optional<Bytes> rchar;
  std::optional<Bytes> wchar;
  std::optional<MonotonicCount> syscr;
  std::optional<MonotonicCount> syscw;
  std::optional<Bytes> read_bytes;
  std::optional<Bytes> write_bytes;
  std::optional<Bytes> cancelled_write_bytes;

  std::optional<MonotonicCount> cpu_delay_count;
  std::optional<MonotonicNs> cpu_delay_total_ns;
  std::optional<PeakNs> cpu_delay_max_ns;
  std::optional<PeakNs> cpu_delay_min_ns;
  std::optional<MonotonicCount> blkio_delay_count;
  std::optional<MonotonicNs> blkio_delay_total_ns;
  std::optional<PeakNs> blkio_delay_max_ns;
  std::optional<PeakNs> blkio_delay_min_ns;
  std::optional<MonotonicCount> swapin_delay_count;
  std::optional<MonotonicNs> swapin_delay_total_ns;
  std::optional<PeakNs> swapin_delay_max_ns;
  std::optional<PeakNs> swapin_delay_min_ns;
  std::optional<MonotonicCount> freepages_delay_count;
  std::optional<MonotonicNs> freepages_delay_total_ns;
  std::optional<PeakNs> freepages_delay_max_ns;
  std::optional<PeakNs> freepages_delay_min_ns;
  std::optional<MonotonicCount> thrashing_delay_count;
  std::optional<MonotonicNs> thrashing_delay_total_ns;
  std::optional<PeakNs> thrashing_delay_max_ns;
  std::optional<PeakNs> thrashing_delay_min_ns;
  std::optional<MonotonicCount> compact_delay_count;
  std::optional<MonotonicNs> compact_delay_total_ns;
  std::optional<PeakNs> compact_delay_max_ns;
  std::optional<PeakNs> compact_delay_min_ns;
  std::optional<MonotonicCount> wpcopy_delay_count;
  std::optional<MonotonicNs> wpcopy_delay_total_ns;
  std::optional<PeakNs> wpcopy_delay_max_ns;
  std::optional<PeakNs> wpcopy_delay_min_ns;
  std::optional<MonotonicCount> irq_delay_count;
  std::optional<MonotonicNs> irq_delay_total_ns;
  std::optional<PeakNs> irq_delay_max_ns;
  std::optional<PeakNs> irq_delay_min_ns;
  std::optional<PeakBytes> hiwater_rss_bytes;
  std::optional<PeakBytes> hiwater_vm_bytes;

  /// Memory of the process by category, KiB, under the kernel's names (Rss, Pss, ...); of a process's first
  /// thread only.
  std::optional<std::map<std::string, std::uint64_t>> smaps_rollup_kib;

  friend bool operator==(const ThreadRecord&, const ThreadRecord&) = default;
};

}  // namespace ktstr::introspect::ctprof
