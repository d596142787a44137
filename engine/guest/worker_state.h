// WorkerState: what a worker counts, in memory that outlives it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/cpu_set.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine::guest {

/// /proc/PID/schedstat.
struct Schedstat {
  std::uint64_t cpu_time_ns;
  std::uint64_t run_delay_ns;
  std::uint64_t run_count;
};

/// Lies zeroed in shared memory. Up to the release the agent writes it, then the worker alone; the agent
/// reads it once the worker is dead, so that even of one that crashed nothing it had counted is lost. Times
/// are CLOCK_MONOTONIC in ns; 0 means: not reached.
struct WorkerState {
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
  std::uint32_t migration_cpus[protocol::kMaxMigrationCpus];
  std::uint64_t cpus_used[CpuSet::kCapacity / 64];

  std::uint64_t wake_latencies_total;
  std::uint64_t wake_latencies_ns[protocol::kMaxWakeLatencies];  ///< uniform sample
};

}  // namespace ktstr::engine::guest
