// WorkerState: what a worker counts, in memory that outlives it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/cpu_set.h"
#include "engine/protocol/latency_histogram.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// /proc/PID/schedstat: a task's CPU time, run delay and how often it was put on a CPU.
struct Schedstat {
  std::uint64_t cpu_time_ns;
  std::uint64_t run_delay_ns;
  std::uint64_t run_count;
};

/// `pid`: 0 is the caller's; also of a task that has ended and was not reaped. Absent when the kernel has no
/// such file, or keeps no account (it then shows zeros). Does not allocate. Source:
/// Documentation/scheduler/sched-stats.rst.
[[nodiscard]] std::optional<Schedstat> read_schedstat(pid_t pid);

/// One bit for each CPU.
using CpuBits = std::uint64_t[CpuSet::kCapacity / 64];

/// The most workers that there can be at a time: as many as process ids on a small machine.
inline constexpr std::size_t kMostWorkersAtATime = 32'768;

inline constexpr std::size_t kPageBytes = 4096;

/// Lies zeroed in shared memory. Up to the release the agent writes it, then the worker alone, but for
/// `stop`, `placement` and `allowed`; the agent reads it once the worker is dead, so that even of one that
/// crashed nothing it had counted is lost. Times are CLOCK_MONOTONIC in ns; 0 means: not reached.
///
/// Pages that are not written to take no memory: what every worker writes to is in the first one, and the
/// latencies below a minute in one of their own.
struct alignas(kPageBytes) WorkerState {
  std::int32_t pid;        ///< set by the agent when it has forked the worker; 0 before
  std::atomic<bool> stop;  ///< set by the agent
  std::uint64_t work_units;
  std::uint64_t iterations;
  std::uint64_t released_ns;  ///< set by the agent: a worker that never gets to run stands still from here on
  std::uint64_t finished_ns;
  std::uint64_t cpu_at_release_ns;  ///< CPU time used when it began to run after the release
  std::uint64_t cpu_at_finish_ns;
  bool has_schedstat;  ///< schedstat_at_release was read
  Schedstat schedstat_at_release;

  bool waiting;                    ///< asleep by its own choice or for a partner: time passing is no gap
  std::uint64_t last_progress_ns;  ///< when it last got on, or could have gone on
  std::uint64_t longest_gap_ns;
  std::uint64_t longest_gap_at_ns;
  std::uint32_t longest_gap_cpu;

  std::uint32_t cpu;  ///< the one seen last
  std::uint64_t migrations;
  /// Written by the agent: 0 while nothing is known of the cpuset, odd while it changes, else even; another
  /// one for each change.
  std::atomic<std::uint32_t> placement;
  std::uint64_t wake_latencies_total;
  std::uint64_t wake_latency_max_ns;
  char failure[160];  ///< why it could not go on; empty otherwise

  CpuBits allowed;  ///< written by the agent while `placement` is odd: the effective cpuset
  CpuBits cpus_used;
  std::uint16_t migration_cpus[protocol::kMaxMigrationCpus];
  CpuBits stray_cpus;  ///< seen on them while `allowed` did not hold them

  alignas(kPageBytes) std::uint32_t wake_latency_counts[protocol::kLatencyBuckets];
};

[[nodiscard]] inline bool has_cpu(const CpuBits& bits, std::size_t cpu) {
  return bits[cpu / 64] >> (cpu % 64) & 1;
}
inline void add_cpu(CpuBits& bits, std::size_t cpu) {
  bits[cpu / 64] |= std::uint64_t{1} << (cpu % 64);
}
[[nodiscard]] CpuSet to_set(const CpuBits& bits);

/// Tells the worker which CPUs its cpuset holds from now on; nullopt: they are changing, or not known. Its
/// CPUs are held against them, see Recorder.
void set_allowed(WorkerState& state, const std::optional<CpuSet>& cpus);

}  // namespace ktstr::engine::guest
