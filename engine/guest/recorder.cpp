#include "engine/guest/recorder.h"

#include <sched.h>

#include <algorithm>
#include <limits>

#include "engine/guest/clock.h"

namespace ktstr::engine::guest {

void Recorder::release() {
  state_.cpu = static_cast<std::uint32_t>(::sched_getcpu());
  note_cpu();
  state_.cpu_at_release_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void Recorder::iteration(std::uint64_t work_units) {
  ++state_.iterations;
  work(work_units);
}

void Recorder::work(std::uint64_t work_units) {
  state_.work_units += work_units;
  note_cpu();
  progress(monotonic_ns());
}

void Recorder::progress(std::uint64_t now_ns) {
  const auto gap_ns = now_ns - state_.last_progress_ns;
  state_.last_progress_ns = now_ns;
  if (gap_ns <= state_.longest_gap_ns) return;
  state_.longest_gap_ns = gap_ns;
  state_.longest_gap_at_ns = now_ns - state_.released_ns;
  state_.longest_gap_cpu = state_.cpu;
}

/// A CPU is held against a cpuset only when that cpuset was in force both before and after the look: what was
/// seen while it changed may be of either.
void Recorder::note_cpu() {
  const auto placement = state_.placement.load(std::memory_order_acquire);
  const auto cpu = static_cast<std::uint32_t>(::sched_getcpu());
  if (cpu >= CpuSet::kCapacity || (cpu == state_.cpu && placement == seen_placement_)) return;
  seen_placement_ = placement;
  add_cpu(state_.cpus_used, cpu);
  const bool in_force = placement != 0 && placement % 2 == 0;
  if (in_force && !has_cpu(state_.allowed, cpu) &&
      state_.placement.load(std::memory_order_acquire) == placement)
    add_cpu(state_.stray_cpus, cpu);
  if (cpu == state_.cpu) return;
  state_.cpu = cpu;
  if (state_.migrations < protocol::kMaxMigrationCpus)
    state_.migration_cpus[state_.migrations] = static_cast<std::uint16_t>(cpu);
  ++state_.migrations;
}

void Recorder::woke(std::uint64_t due_ns) {
  const auto now_ns = monotonic_ns();
  const auto latency_ns = now_ns > due_ns ? now_ns - due_ns : 0;
  state_.waiting = false;
  state_.last_progress_ns = now_ns - latency_ns;
  ++state_.wake_latencies_total;
  state_.wake_latency_max_ns = std::max(state_.wake_latency_max_ns, latency_ns);
  auto& count = state_.wake_latency_counts[protocol::latency_bucket(latency_ns)];
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

void Recorder::end_wait() {
  state_.waiting = false;
  state_.last_progress_ns = monotonic_ns();
}

void Recorder::finish() {
  const auto now_ns = monotonic_ns();
  note_cpu();
  if (!state_.waiting) progress(now_ns);
  state_.cpu_at_finish_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  state_.finished_ns = now_ns;
}

}  // namespace ktstr::engine::guest
