// SchedulerDriver: attaches, replaces, watches and removes schedulers in a guest, and keeps the account of
// them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/scheduler_report.h"
#include "engine/run/guest.h"
#include "engine/run/scheduler_setup.h"
#include "engine/run/start_output.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// What guest memory shows. Where nothing is read from it, all are empty.
struct SchedulerEvidence {
  /// Exit records since the last call, of schedulers that ended in an error; oldest first.
  std::function<std::vector<SchedulerExitReport>()> exit_records{};
  /// When the first end since the last call was seen that nobody had asked for, since the machine's start.
  std::function<std::optional<Duration>()> end_seen{};
  /// Gives the loaded scheduler's watchdog another timeout.
  std::function<Result<WatchdogReport>(Duration)> set_watchdog{};
};

/// Where the account is kept; it grows as things happen.
struct SchedulerAccount {
  std::vector<SchedulerReport>& schedulers;
  std::vector<SchedulerGap>& gaps;
};

/// Whether `text` is the error that `expected` describes.
[[nodiscard]] bool is_expected(const SchedulerErrorExpectation& expected, const std::string& text);

/// A scheduler that dies or does not load is an error of the call that finds it out (kUnavailable, with the
/// whole story in one line) unless it is the expected one: then the scenario goes on without a scheduler. In
/// either case the report has it. Errors besides: those of Guest::ask.
class SchedulerDriver {
 public:
  /// `guest`, `staged` and the account must outlive it.
  SchedulerDriver(Guest& guest, const StagedSchedulers& staged,
                  std::optional<SchedulerErrorExpectation> expected, SchedulerEvidence evidence,
                  SchedulerAccount account);

  /// `step`: from 1; 0: before the first.
  [[nodiscard]] Status attach(std::size_t step, const SchedulerDef& def);
  [[nodiscard]] Status detach(std::size_t step);
  [[nodiscard]] Status replace(std::size_t step, const SchedulerDef& def);
  [[nodiscard]] Status restart(std::size_t step);
  /// Asks whether what was attached still lives, and brings its report up to date. When its end was seen in
  /// guest memory, the agent waits a while until it sees it too.
  [[nodiscard]] Status check_alive(std::size_t step);
  /// Whether the attached one's end was seen in guest memory.
  [[nodiscard]] bool saw_end();
  /// A time without a scheduler that lasts is over as far as this run is concerned.
  void end_account();

  /// Where the output of one that is not attached goes when the report can't hold it. Without a place it is
  /// not kept.
  void keep_output_in(OutputPlace place) { output_place_ = std::move(place); }

  /// The name of what an op without a scheduler of its own is about.
  [[nodiscard]] std::optional<std::string> current_name() const;

 private:
  template <class Request>
  [[nodiscard]] Status begin(std::size_t step, const SchedulerDef& def, Request request);
  [[nodiscard]] Status end_former(const protocol::SchedulerChanged& changed, SchedulerFate fate,
                                  std::size_t step);
  [[nodiscard]] Status take_death(const protocol::SchedulerChanged& changed,
                                  const protocol::SchedulerStatus& status, std::size_t step);
  [[nodiscard]] Status take_refusal(const protocol::SchedulerChanged& changed, SchedulerReport& report);
  [[nodiscard]] Status judge(SchedulerReport& report, std::string problem);
  void take_status(const protocol::SchedulerStatus& status, SchedulerReport& report);
  void take_exit_record(const protocol::SchedulerStatus& status, SchedulerReport& report);
  [[nodiscard]] Status set_watchdog(std::size_t step, Duration timeout, SchedulerReport& report);
  void take_end_seen();
  void open_gap(GapCause cause, std::size_t step, const SchedulerReport& former);
  void close_gap(std::uint64_t end_ns, const std::optional<std::string>& next);
  void account_gap(const protocol::SchedulerChanged& changed, GapCause cause, const SchedulerReport& next);
  [[nodiscard]] std::uint64_t time_of(const std::optional<std::uint64_t>& guest_ns,
                                      const protocol::SchedulerChanged& changed) const;

  Guest& guest_;
  const StagedSchedulers& staged_;
  std::optional<SchedulerErrorExpectation> expected_;
  SchedulerEvidence evidence_;
  std::vector<SchedulerReport>& reports_;
  std::vector<SchedulerGap>& gaps_;
  bool gap_is_open_ = false;            ///< the last one
  std::optional<std::size_t> current_;  ///< index of the attached one's report
  std::optional<std::size_t> ended_;    ///< that of the one before
  std::optional<Duration> end_seen_;    ///< of the attached one, from outside
  std::optional<SchedulerDef> last_;    ///< what a restart starts
  std::optional<OutputPlace> output_place_;
};

}  // namespace ktstr::engine
