#include "engine/verdict/worker_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/verdict/latencies.h"
#include "engine/verdict/peers.h"

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

bool always_wanted(const WorkerReport* report) {
  return always_wanted_to_run(*report);
}

double milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-6;
}

/// Adds up what is found in one group.
class GroupChecks {
 public:
  GroupChecks(const WorkerGroup& group, std::span<const WorkerGroup> groups, const WorkerLimits& limits,
              WorkerFindings& findings)
      : group_(group), groups_(groups), limits_(limits), findings_(findings) {}

  void deaths() {
    for (const auto& report : group_.reports)
      if (const auto cause = death(report)) fail("worker_exit", report, *cause);
  }

  void run() {
    Reports alive;
    for (const auto& report : group_.reports)
      if (!death(report)) alive.push_back(&report);
    starvation(alive);
    for (const auto& peers : peers_among(alive)) {
      spread(peers);
      unfairness(peers);
    }
    gap(alive);
    if (limits_.isolation) isolation(alive);
    if (limits_.max_throughput_cv)
      for (const auto& peers : peers_among(alive)) throughput_cv(peers);
    if (limits_.min_work_rate) work_rate(alive);
    if (limits_.max_p99_wake_latency) p99_wake_latency(alive);
    if (limits_.max_wake_latency_cv) check_wake_latency_cv(alive);
    if (limits_.min_iteration_rate) iteration_rate(alive);
    if (limits_.max_migration_ratio) migration_ratio(alive);
  }

 private:
  /// "cgroup web: tid 101 (cpu_spin) "
  [[nodiscard]] std::string subject(const WorkerReport& report) const {
    return fmt::format("cgroup {}: tid {} ({}) ", group_.cgroup, report.tid, group_.work);
  }
  void fail(std::string check, const WorkerReport& report, const std::string& what) {
    findings_.failures.push_back({std::move(check), subject(report) + what, group_.cgroup, report.tid});
  }
  void fail_group(std::string check, const std::string& what) {
    findings_.failures.push_back(
        {std::move(check), fmt::format("cgroup {}: {}", group_.cgroup, what), group_.cgroup, {}});
  }
  void not_judged(std::string_view check, const std::string& why) {
    findings_.not_judged.push_back(fmt::format("{}: cgroup {}: {}", check, group_.cgroup, why));
  }
  /// "cpu_spin workers", "futex_fan_out workers (receiver)"
  [[nodiscard]] std::string workers_of(const WorkerReport& peer) const {
    return group_.work + " workers" + (peer.role.empty() ? "" : " (" + peer.role + ")");
  }

  /// How the worker ended when it should not have; nothing when it was stopped in order.
  [[nodiscard]] static std::optional<std::string> death(const WorkerReport& report) {
    const auto& [how, code] = report.exit;
    if (how == "signaled" && report.failure) return "was " + *report.failure;
    if (how == "signaled")
      return code ? fmt::format("died of signal {} ({})", *code, signal_name(*code)) : "died of a signal";
    if (how == "timed out") return "did not stop within the deadline and was killed";
    if (how == "wait failed")
      return fmt::format("could not be waited for ({})", code ? error_name(*code) : "reason unknown");
    if (code.value_or(0) == 0) return std::nullopt;
    if (report.failure) return "ended by itself: " + *report.failure;
    return fmt::format("exited with code {}", *code);
  }

  void starvation(const Reports& reports) {
    if (!limits_.no_starvation) return;
    for (const auto* report : reports)
      if (report->work_units == 0)
        fail("no_starvation", *report,
             fmt::format("did 0 work units in {:.1f} s, at least 1 is expected", seconds(report->wall_ns)));
  }

  void spread(const Reports& peers) {
    const auto spread = off_cpu_spread(peers);
    if (!spread || spread->points() <= limits_.max_spread_pct) return;
    const auto wall_ns = std::min(spread->least->wall_ns, spread->most->wall_ns);
    const auto blur = 100.0 * static_cast<double>(limits_.blur.ns) / static_cast<double>(wall_ns);
    const auto what = fmt::format(
        "off-CPU share of {} spreads {:.1f} points (tid {}: {:.1f} %, tid {}: {:.1f} %), limit {:g}",
        workers_of(*spread->least), spread->points(), spread->least->tid, *off_cpu_pct(*spread->least),
        spread->most->tid, *off_cpu_pct(*spread->most), limits_.max_spread_pct);
    if (const auto uneven = indivisible(peers, *spread, limits_.max_spread_pct + blur))
      not_judged("max_spread_pct",
                 fmt::format("{}: {} workers can't share {} CPUs evenly but by changing places", what,
                             uneven->workers, uneven->cpus));
    else if (spread->points() > limits_.max_spread_pct + blur)
      fail_group("max_spread_pct", what);
    else
      not_judged("max_spread_pct", fmt::format("{}: emulation blurs {:.1f} points", what, blur));
  }

  /// What excuses peers that got unequal shares: a load that was placed as well as it can be, to within
  /// `slack` points. Nothing when the scenario states how far shares may lie apart.
  [[nodiscard]] std::optional<UnevenShare> indivisible(const Reports& peers, const Spread& spread,
                                                       double slack) const {
    if (limits_.max_spread_stated || !std::ranges::all_of(peers, always_wanted)) return std::nullopt;
    const auto uneven = uneven_share(group_, groups_);
    const bool excused = uneven && spread.points() <= uneven->points() + slack &&
                         *off_cpu_pct(*spread.most) <= uneven->most_off_cpu_pct() + slack;
    return excused ? uneven : std::nullopt;
  }

  /// CPU time of workers that always wanted to run, with the mean of their peers.
  void unfairness(const Reports& peers) {
    if (peers.size() < 2 || !std::ranges::all_of(peers, always_wanted)) return;
    double mean = 0, turn = 0;
    for (const auto* report : peers) {
      mean += static_cast<double>(report->cpu_ns) / static_cast<double>(peers.size());
      turn = std::max(turn, static_cast<double>(report->cpu_ns) / static_cast<double>(std::max<std::uint64_t>(
                                                                      1, *report->schedstat_run_count)));
    }
    const auto off = [&](const WorkerReport* report) {
      return std::abs(static_cast<double>(report->cpu_ns) - mean);
    };
    const auto* worst = *std::ranges::max_element(peers, {}, off);
    const auto allowed = mean * limits_.max_unfairness_pct / 100 + turn;  // a turn more or less is chance
    if (off(worst) <= allowed) return;
    const auto what = fmt::format(
        "tid {} of the {} {} got {:.3f} s of CPU time, {:.0f} % {} than their mean of {:.3f} s, limit {:g} %",
        worst->tid, peers.size(), workers_of(*worst), seconds(worst->cpu_ns), 100 * off(worst) / mean,
        static_cast<double>(worst->cpu_ns) > mean ? "more" : "less", mean * 1e-9, limits_.max_unfairness_pct);
    if (off(worst) > allowed + static_cast<double>(limits_.blur.ns))
      fail_group("max_unfairness_pct", what);
    else
      not_judged("max_unfairness_pct",
                 fmt::format("{}: emulation blurs {}", what, format_duration(limits_.blur)));
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
      if (!report->stray_cpus.empty())
        fail(
            "isolation", *report,
            fmt::format("ran on CPUs {} while its cpuset did not hold them", report->stray_cpus.to_string()));
      else if (!report->cpus_used.is_subset_of(group_.allowed))
        fail("isolation", *report,
             fmt::format("ran on CPUs {}, allowed are {}", report->cpus_used.to_string(),
                         group_.allowed.to_string()));
  }

  void throughput_cv(const Reports& peers) {
    std::vector<double> rates;
    for (const auto* report : peers)
      if (report->cpu_ns > 0)
        rates.push_back(static_cast<double>(report->work_units) / seconds(report->cpu_ns));
    const auto cv = coefficient_of_variation(rates);
    if (cv && *cv > *limits_.max_throughput_cv)
      fail_group("max_throughput_cv",
                 fmt::format("work rates of {} {} vary by {:.3f} (CV), limit {:g}", rates.size(),
                             workers_of(*peers.front()), *cv, *limits_.max_throughput_cv));
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
      const auto p99 = wake_percentile(*report, 99);
      if (p99 && *p99 > static_cast<std::uint64_t>(limits_.max_p99_wake_latency->ns))
        fail("max_p99_wake_latency", *report,
             fmt::format("has a p99 wake-up latency of {:.1f} us over {} wake-ups, limit {}",
                         static_cast<double>(*p99) * 1e-3, report->wake_latencies_total,
                         format_duration(*limits_.max_p99_wake_latency)));
    }
  }

  void check_wake_latency_cv(const Reports& reports) {
    for (const auto* report : reports) {
      const auto cv = wake_latency_cv(*report);
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
  std::span<const WorkerGroup> groups_;
  const WorkerLimits& limits_;
  WorkerFindings& findings_;
};

}  // namespace

WorkerFindings check_workers(std::span<const WorkerGroup> groups, const WorkerLimits& limits) {
  WorkerFindings findings;
  for (const auto& group : groups) GroupChecks(group, groups, limits, findings).deaths();
  for (const auto& group : groups) GroupChecks(group, groups, limits, findings).run();
  return findings;
}

}  // namespace ktstr::engine
