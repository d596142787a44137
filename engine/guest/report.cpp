#include <algorithm>

#include "engine/guest/recorder.h"
#include "engine/guest/worker.h"

namespace ktstr::engine::guest {
namespace {

using protocol::WorkerReport;

void report_times(const Worker& worker, WorkerReport& report) {
  const auto& state = *worker.state;
  const auto& ending = *worker.ending;
  const auto end_ns = state.finished_ns ? state.finished_ns : ending.at_ns;
  report.wall_ns = end_ns - std::min(end_ns, state.released_ns);
  if (state.finished_ns)
    report.cpu_ns = state.cpu_at_finish_ns - state.cpu_at_release_ns;
  else if (ending.rusage_ns)
    report.cpu_ns = *ending.rusage_ns - std::min(*ending.rusage_ns, state.cpu_at_release_ns);
  report.off_cpu_ns = report.wall_ns - std::min(report.wall_ns, report.cpu_ns);
}

void report_gap(const Worker& worker, WorkerReport& report) {
  const auto& state = *worker.state;
  report.longest_gap_ns = state.longest_gap_ns;
  report.longest_gap_cpu = state.longest_gap_cpu;
  report.longest_gap_at_ns = state.longest_gap_at_ns;
  if (state.finished_ns || state.waiting || worker.ending->at_ns < state.last_progress_ns) return;
  // It never came to its end: since its last sign of progress it stood still.
  const auto last_gap_ns = worker.ending->at_ns - state.last_progress_ns;
  if (last_gap_ns <= report.longest_gap_ns) return;
  report.longest_gap_ns = last_gap_ns;
  report.longest_gap_cpu = state.cpu;
  report.longest_gap_at_ns = worker.ending->at_ns - state.released_ns;
}

void report_cpus(const WorkerState& state, WorkerReport& report) {
  report.migrations = state.migrations;
  const auto known = std::min<std::uint64_t>(state.migrations, protocol::kMaxMigrationCpus);
  report.migration_cpus.assign(state.migration_cpus, state.migration_cpus + known);
  for (std::size_t cpu = 0; cpu < CpuSet::kCapacity; ++cpu)
    if (state.cpus_used[cpu / 64] >> (cpu % 64) & 1) report.cpus_used.add(cpu);
}

void report_schedstat(const Worker& worker, WorkerReport& report) {
  const auto& end = worker.ending->schedstat;
  if (!end || !worker.state->has_schedstat) return;
  const auto& start = worker.state->schedstat_at_release;
  report.schedstat_run_delay_ns = end->run_delay_ns - start.run_delay_ns;
  report.schedstat_run_count = end->run_count - start.run_count;
  report.schedstat_cpu_time_ns = end->cpu_time_ns - start.cpu_time_ns;
}

/// A part of a uniform sample that is itself uniform: a partial shuffle.
void report_latencies(const WorkerState& state, std::size_t most, WorkerReport& report) {
  report.wake_latencies_total = state.wake_latencies_total;
  const auto known = std::min<std::uint64_t>(state.wake_latencies_total, protocol::kMaxWakeLatencies);
  auto& sample = report.wake_latencies_ns;
  sample.assign(state.wake_latencies_ns, state.wake_latencies_ns + known);
  if (sample.size() <= most) return;
  Random random(state.released_ns);
  for (std::size_t i = 0; i < most; ++i) std::swap(sample[i], sample[i + random.below(sample.size() - i)]);
  sample.resize(most);
}

}  // namespace

WorkerReport make_report(const Worker& worker, std::size_t most_latencies) {
  WorkerReport report;
  report.tid = worker.pid;
  report.cgroup = worker.cgroup;
  report.work = worker.work;
  report.work_units = worker.state->work_units;
  report.iterations = worker.state->iterations;
  report.completed = worker.state->finished_ns != 0;
  report.exit = worker.ending->exit;
  report_times(worker, report);
  report_gap(worker, report);
  report_cpus(*worker.state, report);
  report_schedstat(worker, report);
  report_latencies(*worker.state, most_latencies, report);
  return report;
}

}  // namespace ktstr::engine::guest
