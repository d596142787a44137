#include "engine/run/judge.h"

#include "engine/verdict/emulation.h"
#include "engine/verdict/worker_checks.h"

namespace ktstr::engine {
namespace {

void judge_workers(RunReport& report) {
  report.groups.clear();
  for (const auto& group : report.workers) report.groups.push_back(summarize(group));
  for (auto& failure : check_workers(report.workers, report.limits.workers))
    report.failures.push_back(std::move(failure));
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
    report.failures.push_back({"monitor", "monitor: " + detail, {}, {}});
  if (!monitor.verdict.evaluated && !report.reason)
    report.reason =
        "the run queues could not be judged: " + monitor.first_failure.value_or(monitor.verdict.summary);
}

Outcome outcome_of(const RunReport& report) {
  return combine({report.failures.empty() ? Outcome::kPass : Outcome::kFail,
                  report.reason ? Outcome::kInconclusive : Outcome::kPass});
}

}  // namespace

LimitsReport limits_in_force(const Expectations& expectations, bool emulated) {
  const double factor = emulated ? kEmulationFactor : 1;
  return {worker_limits(expectations, factor), monitor_thresholds(expectations, factor), factor};
}

void judge(RunReport& report) {
  judge_workers(report);
  judge_samples(report);
  report.verdict = outcome_of(report);
}

void add_failures(RunReport& report, std::string_view check, const std::vector<std::string>& messages) {
  for (const auto& message : messages) report.failures.push_back({std::string(check), message, {}, {}});
  report.verdict = outcome_of(report);
}

}  // namespace ktstr::engine
