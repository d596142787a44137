#include "engine/verdict/worker_group.h"

#include <algorithm>

#include "engine/verdict/latencies.h"
#include "engine/verdict/peers.h"

namespace ktstr::engine {
namespace {

void add(std::optional<std::uint64_t>& sum, std::uint64_t value) {
  sum = sum.value_or(0) + value;
}

void raise(std::optional<std::uint64_t>& highest, std::uint64_t value) {
  highest = std::max(highest.value_or(value), value);
}

std::optional<double> widest_spread(const WorkerGroup& group) {
  std::vector<const protocol::WorkerReport*> reports;
  for (const auto& report : group.reports) reports.push_back(&report);
  std::optional<double> widest;
  for (const auto& peers : peers_among(reports))
    if (const auto spread = off_cpu_spread(peers)) widest = std::max(widest.value_or(0), spread->points());
  return widest;
}

}  // namespace

std::optional<double> off_cpu_pct(const protocol::WorkerReport& report) {
  if (report.wall_ns == 0) return std::nullopt;
  return 100.0 * static_cast<double>(report.off_cpu_ns) / static_cast<double>(report.wall_ns);
}

double Spread::points() const {
  return *off_cpu_pct(*most) - *off_cpu_pct(*least);
}

std::optional<Spread> off_cpu_spread(std::span<const protocol::WorkerReport* const> reports) {
  Spread spread{};
  std::size_t compared = 0;
  for (const auto* report : reports) {
    if (report->wall_ns == 0) continue;
    ++compared;
    if (!spread.least || *off_cpu_pct(*report) < *off_cpu_pct(*spread.least)) spread.least = report;
    if (!spread.most || *off_cpu_pct(*report) > *off_cpu_pct(*spread.most)) spread.most = report;
  }
  if (compared < 2) return std::nullopt;
  return spread;
}

GroupSummary summarize(const WorkerGroup& group) {
  GroupSummary summary{.cgroup = group.cgroup,
                       .work = group.work,
                       .workers = std::max<std::uint64_t>(group.started, group.reports.size()),
                       .reported = group.reports.size()};
  double cpu_pct = 0;
  std::size_t measured = 0;
  for (const auto& report : group.reports) {
    add(summary.work_units, report.work_units);
    add(summary.iterations, report.iterations);
    add(summary.migrations, report.migrations);
    if (report.wall_ns == 0) continue;
    ++measured;
    cpu_pct += 100.0 * static_cast<double>(report.cpu_ns) / static_cast<double>(report.wall_ns);
    raise(summary.longest_gap_ns, report.longest_gap_ns);
    if (const auto p99 = wake_percentile(report, 99)) raise(summary.p99_wake_ns, *p99);
  }
  if (measured > 0) summary.cpu_pct = cpu_pct / static_cast<double>(measured);
  summary.spread_pct = widest_spread(group);
  return summary;
}

}  // namespace ktstr::engine
