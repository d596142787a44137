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

void report_cpus(const WorkerState& state, std::size_t most_migrations, WorkerReport& report) {
  report.migrations = state.migrations;
  const auto listed = std::min(
      {state.migrations, std::uint64_t{protocol::kMaxMigrationCpus}, std::uint64_t{most_migrations}});
  report.migration_cpus.assign(state.migration_cpus, state.migration_cpus + listed);
  report.cpus_used = to_set(state.cpus_used);
  report.stray_cpus = to_set(state.stray_cpus);
}

void report_schedstat(const Worker& worker, WorkerReport& report) {
  const auto& end = worker.ending->schedstat;
  if (!end || !worker.state->has_schedstat) return;
  const auto& start = worker.state->schedstat_at_release;
  report.schedstat_run_delay_ns = end->run_delay_ns - start.run_delay_ns;
  report.schedstat_run_count = end->run_count - start.run_count;
  report.schedstat_cpu_time_ns = end->cpu_time_ns - start.cpu_time_ns;
}

void report_latencies(const WorkerState& state, WorkerReport& report) {
  report.wake_latencies_total = state.wake_latencies_total;
  if (state.wake_latencies_total == 0) return;
  report.wake_histogram = protocol::make_histogram(state.wake_latency_counts);
  report.wake_latency_max_ns = state.wake_latency_max_ns;
}

void report_affinities(const Worker& worker, WorkerReport& report) {
  for (const auto& list : worker.affinities)
    if (auto cpus = CpuSet::parse(list)) report.affinities.push_back(*cpus);
}

}  // namespace

WorkerReport make_report(const Worker& worker, std::size_t most_migrations) {
  WorkerReport report;
  report.tid = worker.pid;
  report.cgroup = worker.cgroup;
  report.work = worker.work;
  report.role = worker.role;
  report.work_units = worker.state->work_units;
  report.iterations = worker.state->iterations;
  report.completed = worker.state->finished_ns != 0;
  report.exit = worker.ending->exit;
  report.failure = worker.ending->failure;
  report_affinities(worker, report);
  report_times(worker, report);
  report_gap(worker, report);
  report_cpus(*worker.state, most_migrations, report);
  report_schedstat(worker, report);
  report_latencies(*worker.state, report);
  return report;
}

}  // namespace ktstr::engine::guest
