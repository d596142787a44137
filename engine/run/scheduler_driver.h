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

/// Exit records read from guest memory since the last call, of schedulers that ended in an error; oldest
/// first.
using ExitRecordSource = std::function<std::vector<SchedulerExitReport>()>;

/// Whether `text` is the error that `expected` describes.
[[nodiscard]] bool is_expected(const SchedulerErrorExpectation& expected, const std::string& text);

/// A scheduler that dies or does not load is an error of the call that finds it out (kUnavailable, with the
/// whole story in one line) unless it is the expected one: then the scenario goes on without a scheduler. In
/// either case the report has it. Errors besides: those of Guest::ask.
class SchedulerDriver {
 public:
  /// `guest`, `staged` and `reports` must outlive it. `reports` grows as things happen.
  SchedulerDriver(Guest& guest, const StagedSchedulers& staged,
                  std::optional<SchedulerErrorExpectation> expected, ExitRecordSource exit_records,
                  std::vector<SchedulerReport>& reports);

  /// `step`: from 1; 0: before the first.
  [[nodiscard]] Status attach(std::size_t step, const SchedulerDef& def);
  [[nodiscard]] Status detach(std::size_t step);
  [[nodiscard]] Status replace(std::size_t step, const SchedulerDef& def);
  [[nodiscard]] Status restart(std::size_t step);
  /// Asks whether what was attached still lives, and brings its report up to date.
  [[nodiscard]] Status check_alive(std::size_t step);

  /// Where the output of one that is not attached goes when the report can't hold it. Without a place it is
  /// not kept.
  void keep_output_in(OutputPlace place) { output_place_ = std::move(place); }

  /// The name of what an op without a scheduler of its own is about.
  [[nodiscard]] std::optional<std::string> current_name() const;

 private:
  [[nodiscard]] Result<protocol::SchedulerChanged> ask(const protocol::Request& request);
  [[nodiscard]] Status begin(std::size_t step, const SchedulerDef& def, const protocol::Request& request);
  [[nodiscard]] Status end_former(const protocol::SchedulerChanged& changed, SchedulerFate fate,
                                  std::size_t step);
  [[nodiscard]] Status take_death(SchedulerReport& report, const protocol::SchedulerStatus& status,
                                  std::size_t step);
  [[nodiscard]] Status take_refusal(const protocol::SchedulerChanged& changed, SchedulerReport& report);
  [[nodiscard]] Status judge(SchedulerReport& report, std::string problem);
  void take_status(const protocol::SchedulerStatus& status, SchedulerReport& report);
  void take_exit_record(const protocol::SchedulerStatus& status, SchedulerReport& report);
  [[nodiscard]] std::uint64_t now_ns() const { return static_cast<std::uint64_t>(guest_.now().ns); }

  Guest& guest_;
  const StagedSchedulers& staged_;
  std::optional<SchedulerErrorExpectation> expected_;
  ExitRecordSource exit_records_;
  std::vector<SchedulerReport>& reports_;
  std::optional<std::size_t> current_;  ///< index of the attached one's report
  std::optional<SchedulerDef> last_;    ///< what a restart starts
  std::optional<OutputPlace> output_place_;
};

}  // namespace ktstr::engine
