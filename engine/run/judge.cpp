#include "engine/run/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/verdict/expectations.h"
#include "engine/verdict/worker_checks.h"

namespace ktstr::engine {
namespace {

void judge_workers(RunReport& report) {
  report.groups.clear();
  for (const auto& group : report.workers) report.groups.push_back(summarize(group));
  auto findings = check_workers(report.workers, report.limits.workers);
  std::ranges::move(findings.failures, std::back_inserter(report.failures));
  report.not_judged = std::move(findings.not_judged);
}

void judge_samples(RunReport& report) {
  if (!report.monitor) {
    if (!report.reason)
      report.reason = "the run queues could not be watched: " + report.monitor_problem.value_or("no monitor");
    return;
  }
  auto& monitor = *report.monitor;
  const introspect::EvaluationOptions options{
      .preemption_threshold = Duration(static_cast<std::int64_t>(monitor.preemption_threshold_ns)),
      .emulation_factor = monitor.emulation_factor};
  monitor.summary =
      introspect::summarize(monitor.samples, options.stall_threshold_ns(), monitor.other_event_names);
  monitor.verdict = introspect::evaluate(monitor.samples, report.limits.monitor, options);
  for (const auto& detail : monitor.verdict.details)
    report.failures.push_back({"monitor", "monitor: " + detail});
  if (!monitor.verdict.evaluated && !report.reason)
    report.reason =
        "the run queues could not be judged: " + monitor.first_failure.value_or(monitor.verdict.summary);
}

/// "contains "stall" and matches "[0-9]+s""
std::string spelled(const SchedulerErrorExpectation& expected) {
  std::string text;
  if (expected.contains) text += " that contains \"" + *expected.contains + "\"";
  if (expected.matches)
    text += std::string(text.empty() ? "" : " and") + " that matches \"" + *expected.matches + "\"";
  return text;
}

/// After what broke the run off, before what workers and samples show: those follow from it.
void judge_schedulers(RunReport& report) {
  bool seen = false;
  for (const auto& scheduler : report.schedulers) {
    seen = seen || scheduler.expected;
    if (scheduler.problem && !scheduler.expected)
      report.failures.push_back({"scheduler", *scheduler.problem});
  }
  if (report.limits.scheduler_error && !seen)
    report.failures.push_back(
        {"scheduler_error",
         "no scheduler ended with an error" + spelled(*report.limits.scheduler_error) + ", as was expected"});
}

/// A scheduler that died or was refused is a failure of its own, or what the scenario is about.
void judge_gaps(RunReport& report) {
  const auto limit = report.limits.max_scheduler_gap;
  for (const auto& gap : report.scheduler_gaps) {
    const bool taken_over = gap.cause == GapCause::kReplaced || gap.cause == GapCause::kRestarted;
    if (!taken_over || gap.duration_ns <= static_cast<std::uint64_t>(limit.ns)) continue;
    report.failures.push_back(
        {"max_scheduler_gap",
         fmt::format("step {}: without a scheduler for {:.2f} s while {} was {} (at most {})", gap.step,
                     static_cast<double>(gap.duration_ns) * 1e-9, gap.former, enum_name(gap.cause),
                     format_duration(limit))});
  }
}

/// Events by which the kernel tells that a scheduler let it handle a task, or asked for what can't be.
constexpr introspect::EventCounter kUncleanEvents[] = {"select_cpu_fallback", "dispatch_local_dsq_offline",
                                                       "insert_not_owned"};

void judge_events(RunReport& report) {
  if (!report.limits.events_clean || !report.monitor) return;
  for (const auto counter : kUncleanEvents) {
    std::int64_t most = 0;
    for (const auto& sample : report.monitor->samples)
      most = std::max(most, sample.sum_event(counter).value_or(0));
    if (most > 0)
      report.failures.push_back(
          {"events_clean", "sched_ext counted " + std::to_string(most) + " events " +
                               std::string(introspect::kKnownEvents[counter.index].name)});
  }
}

/// Neither workers nor a scheduler were there to fail, and the script expects nothing of what was.
bool checked_nothing(const RunReport& report) {
  return report.workers.empty() && report.schedulers.empty() && report.limits.stated.empty();
}

Outcome outcome_of(const RunReport& report) {
  return combine({report.failures.empty() ? Outcome::kPass : Outcome::kFail,
                  report.reason ? Outcome::kInconclusive : Outcome::kPass});
}

}  // namespace

LimitsReport limits_in_force(const Expectations& expectations, bool emulated, std::size_t cpus) {
  return {.workers = worker_limits(expectations, emulated ? cpus : 0),
          .monitor = monitor_thresholds(expectations, emulated),
          .emulation_factor = emulated ? kEmulationFactor : 1,
          .scheduler_error = expectations.scheduler_error,
          .events_clean = expectations.events_clean.value_or(false),
          .max_scheduler_gap = scheduler_gap_limit(expectations, emulated),
          .stated = stated_limits(expectations),
          .stretched = emulated ? stretched_limits(expectations) : std::vector<std::string>{}};
}

void judge(RunReport& report, bool hooked) {
  judge_schedulers(report);
  judge_gaps(report);
  judge_workers(report);
  judge_samples(report);
  judge_events(report);
  if (!hooked && checked_nothing(report) && !report.reason) report.reason = "nothing was checked";
  report.verdict = outcome_of(report);
}

void note_weights(RunReport& report, const Scenario& scenario) {
  std::string weights;
  const auto add = [&](const std::string& name, const CgroupDef& def) {
    if (def.cpu_weight) weights += fmt::format("{}{} {}", weights.empty() ? "" : ", ", name, *def.cpu_weight);
  };
  const auto add_all = [&](const std::map<std::string, CgroupDef>& cgroups) {
    for (const auto& [name, def] : cgroups) add(name, def);
  };
  add_all(scenario.backdrop.cgroups);
  add_all(scenario.cgroups);
  for (const auto& step : scenario.steps) {
    for (const auto& op : step.ops)
      if (const auto* made = std::get_if<AddCgroupOp>(&op)) add(made->cgroup, made->def);
    add_all(step.setup);
  }
  if (!weights.empty() && !report.workers.empty())
    report.not_judged.push_back("CPU time by cpu.weight (" + weights +
                                "): shares of cgroups are not compared");
}

void add_failures(RunReport& report, std::string_view check, const std::vector<std::string>& messages) {
  for (const auto& message : messages) report.failures.push_back({std::string(check), message});
  report.verdict = outcome_of(report);
}

}  // namespace ktstr::engine
