// Running a scenario's steps on a guest that is ready.
#pragma once

#include <functional>

#include "engine/report/timeline.h"
#include "engine/run/guest.h"
#include "engine/run/progress.h"
#include "engine/run/scheduler_driver.h"
#include "engine/run/workload.h"
#include "engine/scenario/scenario.h"

namespace ktstr::engine {

class BpfMaps;
class CtprofCaptures;

/// Runs backdrop, cgroups and steps. `timeline` grows as things happen, so that it tells how far a run came
/// that failed. An op's failure ends the run with the step and the op in the message. Between two steps the
/// agent must answer a read of /proc/uptime, and the scheduler must live; its end in mid-hold ends the hold.
/// Precondition: the scenario was checked. Errors: as Guest::ask and Guest::wait_until.
class StepRunner {
 public:
  StepRunner(const Scenario& scenario, Guest& guest, Workload& workload, SchedulerDriver& schedulers,
             Timeline& timeline);

  /// What capture_snapshot does; without one it is an error (kUnavailable).
  using Capture = std::function<Status(const std::string& name)>;
  void set_capture(Capture capture) { capture_ = std::move(capture); }

  /// What ops on BPF maps are done by; without one they are errors (kUnavailable).
  void set_bpf_maps(BpfMaps* maps) { bpf_maps_ = maps; }

  /// What ctprof ops are done by; without one they are errors (kUnavailable).
  void set_ctprof(CtprofCaptures* captures) { ctprof_ = captures; }

  /// Makes the backdrop and the scenario's cgroups, attaches the scheduler, which may be pointed at one of
  /// them, and starts their workers; with `workers_first` these before it.
  [[nodiscard]] Status set_up();
  /// Runs every step. `watch` is told the step and the hold time left when a step begins.
  [[nodiscard]] Status run_steps(const ProgressCallback& watch);

 private:
  struct Apply;
  [[nodiscard]] Status run_step(std::size_t index, Duration hold, std::optional<Duration> interval);
  [[nodiscard]] Status run_ops(std::size_t index);
  [[nodiscard]] Status run_setup(std::size_t index);
  [[nodiscard]] Status hold_until(std::size_t index, Duration moment);
  [[nodiscard]] Status loop(std::size_t index, StepReport& report, Duration hold, Duration interval);
  [[nodiscard]] Status check_liveness(std::size_t index);
  [[nodiscard]] Status apply(std::size_t step, const Op& op);
  [[nodiscard]] Status capture(const std::string& name);
  /// What an op is done to.
  struct Target {
    std::optional<std::string> cgroup{};
    std::optional<std::string> scheduler{};
    std::optional<std::string> map{};
    std::optional<std::string> variable{};
  };
  template <class Kind>
  [[nodiscard]] static Target target_of(const Kind& op);
  /// Does one thing to the guest and puts it into the timeline.
  [[nodiscard]] Status stimulate(std::size_t step, std::string_view op, Target target,
                                 const std::function<Status()>& act);
  [[nodiscard]] Status make_cgroups(std::size_t step, const std::map<std::string, CgroupDef>& cgroups);
  [[nodiscard]] Status set_up_under_scheduler(const SchedulerDef& scheduler);
  [[nodiscard]] Status attach_first(const SchedulerDef& scheduler);

  const Scenario& scenario_;
  Guest& guest_;
  Workload& workload_;
  SchedulerDriver& schedulers_;
  Timeline& timeline_;
  Capture capture_;
  BpfMaps* bpf_maps_ = nullptr;
  CtprofCaptures* ctprof_ = nullptr;
};

}  // namespace ktstr::engine
