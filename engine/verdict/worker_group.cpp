#include "engine/verdict/worker_group.h"

#include <algorithm>

#include "engine/verdict/statistics.h"

namespace ktstr::engine {
namespace {

/// Lowest and highest of the values seen so far.
struct Extremes {
  std::optional<double> lowest, highest;
  double sum = 0;
  std::size_t count = 0;

  void add(double value) {
    lowest = std::min(lowest.value_or(value), value);
    highest = std::max(highest.value_or(value), value);
    sum += value;
    ++count;
  }
};

}  // namespace

std::optional<double> off_cpu_pct(const protocol::WorkerReport& report) {
  if (report.wall_ns == 0) return std::nullopt;
  return 100.0 * static_cast<double>(report.off_cpu_ns) / static_cast<double>(report.wall_ns);
}

GroupSummary summarize(const WorkerGroup& group) {
  GroupSummary summary{.cgroup = group.cgroup, .work = group.work, .workers = group.reports.size()};
  Extremes off_cpu, on_cpu;
  for (const auto& report : group.reports) {
    summary.work_units += report.work_units;
    summary.iterations += report.iterations;
    summary.migrations += report.migrations;
    if (report.wall_ns == 0) continue;
    off_cpu.add(*off_cpu_pct(report));
    on_cpu.add(100.0 * static_cast<double>(report.cpu_ns) / static_cast<double>(report.wall_ns));
    summary.longest_gap_ns = std::max(summary.longest_gap_ns.value_or(0), report.longest_gap_ns);
    if (const auto p99 = percentile(report.wake_latencies_ns, 99))
      summary.p99_wake_ns = std::max(summary.p99_wake_ns.value_or(0), *p99);
  }
  if (on_cpu.count > 0) summary.cpu_pct = on_cpu.sum / static_cast<double>(on_cpu.count);
  if (off_cpu.count > 1) summary.spread_pct = *off_cpu.highest - *off_cpu.lowest;
  return summary;
}

}  // namespace ktstr::engine
