#include "engine/run/scheduler_driver.h"

#include <fmt/format.h>
#include <regex.h>

#include "engine/report/load_failure.h"
#include "engine/run/kernel_options.h"

namespace ktstr::engine {
namespace {

std::string when(std::size_t step) {
  return step == 0 ? "before the first step" : fmt::format("step {}", step);
}

std::string last_word(const SchedulerReport& report) {
  for (auto line = report.log.rbegin(); line != report.log.rend(); ++line)
    if (!line->empty()) return "\"" + *line + "\"";
  return {};
}

/// "runnable task stall: worker[12] failed to run for 2.6s".
std::string cause(const SchedulerReport& report) {
  const auto& record = report.exit_record;
  if (record && (record->reason || record->message)) {
    const auto reason = record->reason.value_or("");
    const auto message = record->message.value_or("");
    return reason + (reason.empty() || message.empty() ? "" : ": ") + message;
  }
  return last_word(report);
}

/// "Not compatible with "isolcpus=" domain isolation": why the kernel did not enable one.
std::optional<std::string> kernel_refusal(const std::vector<std::string>& kernel_log) {
  constexpr std::string_view kPrefix = "sched_ext: ";
  for (auto line = kernel_log.rbegin(); line != kernel_log.rend(); ++line)
    if (line->starts_with(kPrefix) && !line->starts_with("sched_ext: BPF scheduler \""))
      return "the kernel refused it: " + line->substr(kPrefix.size());
  return std::nullopt;
}

/// The end of the one before, which was asked to go (scx_exit_reason() in kernel/sched/ext.c).
bool is_orderly(const SchedulerExitReport& record) {
  return record.reason.value_or("").starts_with("unregistered");
}

/// Why one was not attached: the verifier's word, the kernel's, libbpf's or the program's own.
std::string cause_of_refusal(const SchedulerReport& report, const std::vector<std::string>& kernel_log) {
  if (report.exit_record && !is_orderly(*report.exit_record)) return cause(report);
  const auto load = load_failure(report.log);
  if (load && verifier_refusal(report.log)) return *load;
  if (auto kernel = kernel_refusal(kernel_log)) return std::move(*kernel);
  return load ? *load : last_word(report);
}

/// What an expected error may be found in.
std::string searched_text(const SchedulerReport& report, const std::string& problem) {
  std::string text = cause(report) + "\n" + problem + "\n";
  for (const auto& line : report.log) text += line + "\n";
  return text;
}

bool matches_expression(const std::string& expression, const std::string& text) {
  regex_t compiled;
  if (::regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

}  // namespace

bool is_expected(const SchedulerErrorExpectation& expected, const std::string& text) {
  if (expected.contains && text.find(*expected.contains) == std::string::npos) return false;
  return !expected.matches || matches_expression(*expected.matches, text);
}

SchedulerDriver::SchedulerDriver(Guest& guest, const StagedSchedulers& staged,
                                 std::optional<SchedulerErrorExpectation> expected,
                                 ExitRecordSource exit_records, std::vector<SchedulerReport>& reports)
    : guest_(guest),
      staged_(staged),
      expected_(std::move(expected)),
      exit_records_(std::move(exit_records)),
      reports_(reports) {}

std::optional<std::string> SchedulerDriver::current_name() const {
  if (!last_) return std::nullopt;
  return last_->name;
}

Result<protocol::SchedulerChanged> SchedulerDriver::ask(const protocol::Request& request) {
  auto reply = KTSTR_TRY(guest_.ask(request));
  auto* changed = std::get_if<protocol::SchedulerChanged>(&reply);
  if (!changed) return Error{ErrorCode::kCorrupt, "the agent answered with a reply of another kind"};
  return std::move(*changed);
}

Status SchedulerDriver::attach(std::size_t step, const SchedulerDef& def) {
  return begin(step, def, staged_.request(def));
}

Status SchedulerDriver::replace(std::size_t step, const SchedulerDef& def) {
  return begin(step, def, protocol::ReplaceScheduler{staged_.request(def)});
}

Status SchedulerDriver::restart(std::size_t step) {
  if (!last_)
    return Error{ErrorCode::kInvalidArgument, "no scheduler was attached that could be started again"};
  return begin(step, SchedulerDef(*last_), protocol::RestartScheduler{});
}

Status SchedulerDriver::detach(std::size_t step) {
  const auto changed = KTSTR_TRY(ask(protocol::DetachScheduler{}));
  return end_former(changed, SchedulerFate::kDetached, step);
}

/// One request that may end a scheduler and start one.
Status SchedulerDriver::begin(std::size_t step, const SchedulerDef& def, const protocol::Request& request) {
  const bool restarts = std::holds_alternative<protocol::RestartScheduler>(request);
  last_ = def;
  const auto changed = KTSTR_TRY(ask(request));
  KTSTR_TRY_STATUS(
      end_former(changed, restarts ? SchedulerFate::kRestarted : SchedulerFate::kReplaced, step));
  if (!changed.current)
    return Error{ErrorCode::kCorrupt, "the agent does not say what became of the scheduler"};
  auto& report = reports_.emplace_back();
  report.name = def.name;
  report.path = def.path;
  report.args = arguments(def);
  report.step = static_cast<std::uint32_t>(step);
  report.gap_ns = changed.gap_ns;
  take_status(*changed.current, report);
  if (changed.problem) return take_refusal(changed, report);
  report.attached_ns = now_ns();
  current_ = reports_.size() - 1;
  return ok();
}

/// The one that a request ended. It may turn out to have died before.
Status SchedulerDriver::end_former(const protocol::SchedulerChanged& changed, SchedulerFate fate,
                                   std::size_t step) {
  if (!changed.former || !current_) return ok();
  auto& report = reports_[*current_];
  take_status(*changed.former, report);
  if (changed.former->death) {
    current_.reset();
    return take_death(report, *changed.former, step);
  }
  if (changed.problem && !changed.current)
    return judge(report, fmt::format("{}: the scheduler {} can't be detached: {}", when(step), report.name,
                                     *changed.problem));
  current_.reset();
  report.fate = fate;
  report.ended_ns = now_ns();
  return ok();
}

Status SchedulerDriver::check_alive(std::size_t step) {
  if (!current_) return ok();
  const auto changed = KTSTR_TRY(ask(protocol::QueryScheduler{}));
  if (!changed.current) return Error{ErrorCode::kCorrupt, "the agent has forgotten the scheduler"};
  auto& report = reports_[*current_];
  take_status(*changed.current, report);
  if (!changed.current->death) return ok();
  current_.reset();
  return take_death(report, *changed.current, step);
}

Status SchedulerDriver::take_death(SchedulerReport& report, const protocol::SchedulerStatus& status,
                                   std::size_t step) {
  report.fate = SchedulerFate::kDied;
  report.ended_ns = now_ns();
  take_exit_record(status, report);
  const auto why = cause(report);
  return judge(report, fmt::format("{}: the scheduler {} died: {}{}{}", when(step), report.name, why,
                                   why.empty() ? "" : "; ", *status.death));
}

Status SchedulerDriver::take_refusal(const protocol::SchedulerChanged& changed, SchedulerReport& report) {
  report.fate = SchedulerFate::kRefused;
  report.ended_ns = now_ns();
  take_exit_record(*changed.current, report);
  const auto advice = missing_options_advice(report.log);
  const auto why = advice ? *advice : cause_of_refusal(report, changed.current->kernel_log);
  auto problem = fmt::format("{}: the scheduler {} was not attached: {}{}{}", when(report.step), report.name,
                             why, why.empty() ? "" : "; ", *changed.problem);
  if (changed.former && !changed.former->death)
    problem += fmt::format("; {} had been detached for it, and tasks run under the kernel's own scheduler",
                           changed.former->name);
  return judge(report, std::move(problem));
}

/// Goes on after the expected error only.
Status SchedulerDriver::judge(SchedulerReport& report, std::string problem) {
  if (report.fate == SchedulerFate::kRefused && output_place_)
    problem += keep_start_output(guest_, report, *output_place_);
  report.expected = expected_ && is_expected(*expected_, searched_text(report, problem));
  report.problem = problem;
  if (report.expected) return ok();
  return Error{ErrorCode::kUnavailable, std::move(problem)};
}

void SchedulerDriver::take_status(const protocol::SchedulerStatus& status, SchedulerReport& report) {
  if (status.ops) report.ops = status.ops;
  report.exit = status.exit;
  report.log = status.log;
  report.log_lines_dropped = status.log_lines_dropped;
}

/// Guest memory says more than the kernel's log, and the log is there when the memory was gone too soon.
void SchedulerDriver::take_exit_record(const protocol::SchedulerStatus& status, SchedulerReport& report) {
  auto records = exit_records_ ? exit_records_() : std::vector<SchedulerExitReport>();
  if (!records.empty())
    report.exit_record = std::move(records.back());
  else
    report.exit_record = exit_from_kernel_log(status.kernel_log);
}

}  // namespace ktstr::engine
