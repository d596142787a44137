#include "engine/verdict/worker_checks.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/verdict/statistics.h"

namespace ktstr::engine {
namespace {

using protocol::WorkerReport;
using Reports = std::vector<const WorkerReport*>;

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}
std::string signal_name(int number) {
  const char* description = ::sigdescr_np(number);
  return description ? description : "unknown";
}
std::string error_name(int number) {
  const char* description = ::strerrordesc_np(number);
  return description ? description : "unknown";
}

double milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-6;
}

/// Collects the failures of one group.
class GroupChecks {
 public:
  GroupChecks(const WorkerGroup& group, const WorkerLimits& limits, std::vector<Failure>& failures)
      : group_(group), limits_(limits), failures_(failures) {}

  void run() {
    Reports alive;
    for (const auto& report : group_.reports)
      if (!died(report)) alive.push_back(&report);
    starvation(alive);
    spread(alive);
    gap(alive);
    if (limits_.isolation) isolation(alive);
    if (limits_.max_throughput_cv) throughput_cv(alive);
    if (limits_.min_work_rate) work_rate(alive);
    if (limits_.max_p99_wake_latency) p99_wake_latency(alive);
    if (limits_.max_wake_latency_cv) wake_latency_cv(alive);
    if (limits_.min_iteration_rate) iteration_rate(alive);
    if (limits_.max_migration_ratio) migration_ratio(alive);
  }

 private:
  /// "cgroup web: tid 101 (cpu_spin) "
  [[nodiscard]] std::string subject(const WorkerReport& report) const {
    return fmt::format("cgroup {}: tid {} ({}) ", group_.cgroup, report.tid, group_.work);
  }
  void fail(std::string check, const WorkerReport& report, const std::string& what) {
    failures_.push_back({std::move(check), subject(report) + what, group_.cgroup, report.tid});
  }
  void fail_group(std::string check, const std::string& what) {
    failures_.push_back(
        {std::move(check), fmt::format("cgroup {}: {}", group_.cgroup, what), group_.cgroup, {}});
  }

  bool died(const WorkerReport& report) {
    const auto& [how, code] = report.exit;
    if (how == "signaled")
      fail("worker_exit", report,
           code ? fmt::format("died of signal {} ({})", *code, signal_name(*code)) : "died of a signal");
    else if (how == "timed out")
      fail("worker_exit", report, "did not stop within the deadline and was killed");
    else if (how == "wait failed")
      fail("worker_exit", report,
           fmt::format("could not be waited for ({})", code ? error_name(*code) : "reason unknown"));
    else if (code.value_or(0) != 0)
      fail("worker_exit", report, fmt::format("exited with code {}", *code));
    else
      return false;
    return true;
  }

  void starvation(const Reports& reports) {
    if (!limits_.no_starvation) return;
    for (const auto* report : reports)
      if (report->work_units == 0)
        fail("no_starvation", *report,
             fmt::format("did 0 work units in {:.1f} s, at least 1 is expected", seconds(report->wall_ns)));
  }

  void spread(const Reports& reports) {
    const WorkerReport *least = nullptr, *most = nullptr;
    for (const auto* report : reports) {
      if (report->wall_ns == 0) continue;
      if (!least || *off_cpu_pct(*report) < *off_cpu_pct(*least)) least = report;
      if (!most || *off_cpu_pct(*report) > *off_cpu_pct(*most)) most = report;
    }
    if (!least || *off_cpu_pct(*most) - *off_cpu_pct(*least) <= limits_.max_spread_pct) return;
    fail_group("max_spread_pct",
               fmt::format("off-CPU share of {} workers spreads {:.1f} points (tid {}: {:.1f} %, tid {}: "
                           "{:.1f} %), limit {:g}",
                           group_.work, *off_cpu_pct(*most) - *off_cpu_pct(*least), least->tid,
                           *off_cpu_pct(*least), most->tid, *off_cpu_pct(*most), limits_.max_spread_pct));
  }

  void gap(const Reports& reports) {
    for (const auto* report : reports)
      if (report->longest_gap_ns > static_cast<std::uint64_t>(limits_.max_gap.ns))
        fail("max_gap", *report,
             fmt::format("made no progress for {:.0f} ms on cpu{} ({:.1f} s after its start), limit {}",
                         milliseconds(report->longest_gap_ns), report->longest_gap_cpu,
                         seconds(report->longest_gap_at_ns), format_duration(limits_.max_gap)));
  }

  void isolation(const Reports& reports) {
    for (const auto* report : reports)
      if (!report->cpus_used.is_subset_of(group_.allowed))
        fail("isolation", *report,
             fmt::format("ran on CPUs {}, allowed are {}", report->cpus_used.to_string(),
                         group_.allowed.to_string()));
  }

  void throughput_cv(const Reports& reports) {
    std::vector<double> rates;
    for (const auto* report : reports)
      if (report->cpu_ns > 0)
        rates.push_back(static_cast<double>(report->work_units) / seconds(report->cpu_ns));
    const auto cv = coefficient_of_variation(rates);
    if (cv && *cv > *limits_.max_throughput_cv)
      fail_group("max_throughput_cv",
                 fmt::format("work rates of {} {} workers vary by {:.3f} (CV), limit {:g}", rates.size(),
                             group_.work, *cv, *limits_.max_throughput_cv));
  }

  void work_rate(const Reports& reports) {
    for (const auto* report : reports) {
      if (report->cpu_ns == 0) continue;
      const double rate = static_cast<double>(report->work_units) / seconds(report->cpu_ns);
      if (rate < *limits_.min_work_rate)
        fail("min_work_rate", *report,
             fmt::format("did {:.1f} work units per second of CPU time, at least {:g} expected", rate,
                         *limits_.min_work_rate));
    }
  }

  void p99_wake_latency(const Reports& reports) {
    for (const auto* report : reports) {
      const auto p99 = percentile(report->wake_latencies_ns, 99);
      if (p99 && *p99 > static_cast<std::uint64_t>(limits_.max_p99_wake_latency->ns))
        fail("max_p99_wake_latency", *report,
             fmt::format("has a p99 wake-up latency of {:.1f} us over {} wake-ups, limit {}",
                         static_cast<double>(*p99) * 1e-3, report->wake_latencies_total,
                         format_duration(*limits_.max_p99_wake_latency)));
    }
  }

  void wake_latency_cv(const Reports& reports) {
    for (const auto* report : reports) {
      const std::vector<double> latencies(report->wake_latencies_ns.begin(), report->wake_latencies_ns.end());
      const auto cv = coefficient_of_variation(latencies);
      if (cv && *cv > *limits_.max_wake_latency_cv)
        fail("max_wake_latency_cv", *report,
             fmt::format("has wake-up latencies that vary by {:.3f} (CV), limit {:g}", *cv,
                         *limits_.max_wake_latency_cv));
    }
  }

  void iteration_rate(const Reports& reports) {
    for (const auto* report : reports) {
      if (report->wall_ns == 0) continue;
      const double rate = static_cast<double>(report->iterations) / seconds(report->wall_ns);
      if (rate < *limits_.min_iteration_rate)
        fail("min_iteration_rate", *report,
             fmt::format("did {:.1f} iterations per second, at least {:g} expected", rate,
                         *limits_.min_iteration_rate));
    }
  }

  void migration_ratio(const Reports& reports) {
    for (const auto* report : reports) {
      if (report->iterations == 0) continue;
      const double ratio = static_cast<double>(report->migrations) / static_cast<double>(report->iterations);
      if (ratio > *limits_.max_migration_ratio)
        fail("max_migration_ratio", *report,
             fmt::format("migrated {} times in {} iterations ({:.4f} per iteration), limit {:g}",
                         report->migrations, report->iterations, ratio, *limits_.max_migration_ratio));
    }
  }

  const WorkerGroup& group_;
  const WorkerLimits& limits_;
  std::vector<Failure>& failures_;
};

}  // namespace

std::vector<Failure> check_workers(std::span<const WorkerGroup> groups, const WorkerLimits& limits) {
  std::vector<Failure> failures;
  for (const auto& group : groups) GroupChecks(group, limits, failures).run();
  return failures;
}

}  // namespace ktstr::engine
