#include "engine/run/scheduler_driver.h"

#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <utility>

#include "engine/report/scheduler_log.h"
#include "engine/run/kernel_options.h"

namespace ktstr::engine {
namespace {

/// An end shows in memory before the kernel has taken all tasks from the scheduler.
constexpr Duration kEndPatience = std::chrono::seconds(5);

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
                                 SchedulerEvidence evidence, SchedulerAccount account)
    : guest_(guest),
      staged_(staged),
      expected_(std::move(expected)),
      evidence_(std::move(evidence)),
      reports_(account.schedulers),
      gaps_(account.gaps) {}

/// A moment of the guest's clock on the machine's: both are known at the answer, whose way here counts as no
/// time.
std::uint64_t SchedulerDriver::time_of(const std::optional<std::uint64_t>& guest_ns,
                                       const protocol::SchedulerChanged& changed) const {
  const auto now = guest_.now_ns();
  if (!guest_ns || *guest_ns > changed.answered_ns) return now;
  return now - std::min(now, changed.answered_ns - *guest_ns);
}

bool SchedulerDriver::saw_end() {
  take_end_seen();
  return current_ && end_seen_;
}

void SchedulerDriver::take_end_seen() {
  auto seen = evidence_.end_seen ? evidence_.end_seen() : std::nullopt;
  if (seen && !end_seen_) end_seen_ = seen;
}

std::optional<std::string> SchedulerDriver::current_name() const {
  if (!last_) return std::nullopt;
  return last_->name;
}

/// One request that may end a scheduler and start one. One that was preloaded in vain leaves the former one.
template <class Request>
Status SchedulerDriver::begin(std::size_t step, const SchedulerDef& def, Request request) {
  constexpr bool kRestarts = std::same_as<Request, protocol::RestartScheduler>;
  const auto before = std::exchange(last_, def);
  const auto changed = KTSTR_TRY(guest_.ask(std::move(request)));
  KTSTR_TRY(end_former(changed, kRestarts ? SchedulerFate::kRestarted : SchedulerFate::kReplaced, step));
  if (!changed.current)
    return Error{ErrorCode::kCorrupt, "the agent does not say what became of the scheduler"};
  auto& report = reports_.emplace_back();
  report.name = def.name;
  report.path = def.path;
  if (const auto id = staged_.build_ids.find(def.path.value_or("")); id != staged_.build_ids.end())
    report.build_id = id->second;
  report.args = arguments(def);
  report.step = static_cast<std::uint32_t>(step);
  report.gap_ns = changed.gap_ns;
  take_status(*changed.current, report);
  if (changed.problem && current_) last_ = before;
  if (changed.problem) return take_refusal(changed, report);
  report.attached_ns = time_of(changed.current->attached_ns, changed);
  account_gap(changed, kRestarts ? GapCause::kRestarted : GapCause::kReplaced, report);
  current_ = reports_.size() - 1;
  end_seen_.reset();
  return def.watchdog_timeout ? set_watchdog(step, *def.watchdog_timeout, report) : ok();
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
  const auto changed = KTSTR_TRY(guest_.ask(protocol::DetachScheduler{}));
  const auto status = end_former(changed, SchedulerFate::kDetached, step);
  if (status && !current_) close_gap(guest_.now_ns(), std::nullopt);
  return status;
}

/// Of one that died in the meantime, its death is the news.
Status SchedulerDriver::set_watchdog(std::size_t step, Duration timeout, SchedulerReport& report) {
  auto set = evidence_.set_watchdog
                 ? evidence_.set_watchdog(timeout)
                 : Result<WatchdogReport>(Error{ErrorCode::kUnavailable, "the guest's memory can't be read"});
  if (set) {
    report.watchdog = *set;
    return ok();
  }
  KTSTR_TRY(check_alive(step));
  return std::move(set.error())
      .with_context(
          fmt::format("{}: the watchdog of the scheduler {} can't be set", when(step), report.name));
}

/// The one that a request ended. It may turn out to have died before.
Status SchedulerDriver::end_former(const protocol::SchedulerChanged& changed, SchedulerFate fate,
                                   std::size_t step) {
  take_end_seen();
  if (!changed.former || !current_) return ok();
  auto& report = reports_[*current_];
  take_status(*changed.former, report);
  if (changed.former->death) return take_death(changed, *changed.former, step);
  if (changed.problem && !changed.current)
    return judge(report, fmt::format("{}: the scheduler {} can't be detached: {}", when(step), report.name,
                                     *changed.problem));
  ended_ = std::exchange(current_, std::nullopt);
  report.fate = fate;
  report.ended_ns = time_of(changed.former->gone_ns, changed);
  return ok();
}

Status SchedulerDriver::check_alive(std::size_t step) {
  take_end_seen();
  if (!current_) return ok();
  const auto changed =
      KTSTR_TRY(guest_.ask(protocol::QueryScheduler{.patience = end_seen_ ? kEndPatience : Duration()}));
  if (!changed.current) return Error{ErrorCode::kCorrupt, "the agent has forgotten the scheduler"};
  take_status(*changed.current, reports_[*current_]);
  if (!changed.current->death) return ok();
  return take_death(changed, *changed.current, step);
}

/// The end of the attached one, dated by whoever saw it first.
Status SchedulerDriver::take_death(const protocol::SchedulerChanged& changed,
                                   const protocol::SchedulerStatus& status, std::size_t step) {
  auto& report = reports_[*current_];
  ended_ = std::exchange(current_, std::nullopt);
  report.fate = SchedulerFate::kDied;
  report.ended_ns = time_of(status.gone_ns, changed);
  if (const auto seen = std::exchange(end_seen_, std::nullopt))
    report.ended_ns = std::min(*report.ended_ns, static_cast<std::uint64_t>(seen->ns));
  take_exit_record(status, report);
  open_gap(GapCause::kDied, step, report);
  const auto why = cause(report);
  return judge(report, fmt::format("{}: the scheduler {} died: {}{}{}", when(step), report.name, why,
                                   why.empty() ? "" : "; ", *status.death));
}

Status SchedulerDriver::take_refusal(const protocol::SchedulerChanged& changed, SchedulerReport& report) {
  report.fate = SchedulerFate::kRefused;
  report.ended_ns = guest_.now_ns();
  take_exit_record(*changed.current, report);
  const auto advice = missing_options_advice(report.log);
  const auto why = advice ? *advice : cause_of_refusal(report, changed.current->kernel_log);
  auto problem = fmt::format("{}: the scheduler {} was not attached: {}{}{}", when(report.step), report.name,
                             why, why.empty() ? "" : "; ", *changed.problem);
  if (current_) problem += fmt::format("; {} continues", reports_[*current_].name);
  if (changed.former && !changed.former->death && ended_) {
    problem += fmt::format("; {} had been detached for it, and tasks run under the kernel's own scheduler",
                           changed.former->name);
    open_gap(GapCause::kRefused, report.step, reports_[*ended_]);
  }
  return judge(report, std::move(problem));
}

void SchedulerDriver::open_gap(GapCause cause, std::size_t step, const SchedulerReport& former) {
  gaps_.push_back({.cause = cause,
                   .step = static_cast<std::uint32_t>(step),
                   .former = former.name,
                   .begin_ns = former.ended_ns.value_or(guest_.now_ns())});
  gap_is_open_ = true;
}

void SchedulerDriver::close_gap(std::uint64_t end_ns, const std::optional<std::string>& next) {
  if (!std::exchange(gap_is_open_, false)) return;
  auto& gap = gaps_.back();
  gap.next = next;
  gap.duration_ns = end_ns - std::min(end_ns, gap.begin_ns);
}

/// The time before a scheduler that was attached: begun by a death or a refusal before, or by this very op.
void SchedulerDriver::account_gap(const protocol::SchedulerChanged& changed, GapCause cause,
                                  const SchedulerReport& next) {
  if (gap_is_open_) return close_gap(*next.attached_ns, next.name);
  if (!changed.gap_ns || !ended_) return;
  open_gap(cause, next.step, reports_[*ended_]);
  gap_is_open_ = false;
  gaps_.back().next = next.name;
  gaps_.back().duration_ns = *changed.gap_ns;
}

void SchedulerDriver::end_account() {
  close_gap(guest_.now_ns(), std::nullopt);
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
  report.load_ns = status.load_ns;
  report.load_cpu_ns = status.load_cpu_ns;
  report.exit = status.exit;
  report.log = status.log;
  report.log_lines_dropped = status.log_lines_dropped;
}

/// Guest memory says more than the kernel's log, and the log is there when the memory was gone too soon.
void SchedulerDriver::take_exit_record(const protocol::SchedulerStatus& status, SchedulerReport& report) {
  auto records = evidence_.exit_records ? evidence_.exit_records() : std::vector<SchedulerExitReport>();
  if (!records.empty())
    report.exit_record = std::move(records.back());
  else
    report.exit_record = exit_from_kernel_log(status.kernel_log);
}

}  // namespace ktstr::engine
