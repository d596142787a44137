#include "engine/run/step_runner.h"

#include <fmt/format.h>

#include "engine/run/bpf_maps.h"
#include "engine/run/ctprof_captures.h"
#include "engine/scenario/holds.h"

namespace ktstr::engine {
namespace {

/// After an error of this kind there is somebody to ask whether a scheduler's death is behind it: its maps
/// are gone with it, and workers that it starves do not get ready.
bool guest_answers(ErrorCode code) {
  return code != ErrorCode::kCancelled && code != ErrorCode::kGuestFailed && code != ErrorCode::kCorrupt &&
         code != ErrorCode::kTimeout;
}

Error no_memory() {
  return {ErrorCode::kUnavailable, "the guest's memory can't be read"};
}

}  // namespace

StepRunner::StepRunner(const Scenario& scenario, Guest& guest, Workload& workload,
                       SchedulerDriver& schedulers, Timeline& timeline)
    : scenario_(scenario), guest_(guest), workload_(workload), schedulers_(schedulers), timeline_(timeline) {}

/// Of an op on two cgroups the first one.
template <class Kind>
StepRunner::Target StepRunner::target_of(const Kind& op) {
  Target target;
  if constexpr (requires { op.cgroup; }) target.cgroup = op.cgroup;
  if constexpr (requires { op.from; }) target.cgroup = op.from;
  if constexpr (requires { op.a; }) target.cgroup = op.a;
  if constexpr (requires { op.scheduler; }) target.scheduler = op.scheduler.name;
  if constexpr (requires { op.map; }) target.map = op.map;
  if constexpr (requires { op.variable; }) target.variable = op.variable;
  return target;
}

Status StepRunner::stimulate(std::size_t step, std::string_view op, Target target,
                             const std::function<Status()>& act) {
  const auto began = guest_.now_ns();
  if (auto status = act(); !status) {
    if (target.scheduler) return status;  // a scheduler's story names its step
    if (guest_answers(status.error().code) || schedulers_.saw_end()) KTSTR_TRY(schedulers_.check_alive(step));
    auto place =
        fmt::format("{}: {}", step == 0 ? "before the first step" : fmt::format("step {}", step), op);
    for (const auto& part : {target.cgroup, target.map, target.variable})
      if (part) place += " " + *part;
    return std::move(status.error()).with_context(place);
  }
  const auto done = guest_.now_ns();
  timeline_.events.push_back({.offset_ns = done,
                              .took_ns = done - began,
                              .step = static_cast<std::uint32_t>(step),
                              .op = std::string(op),
                              .cgroup = std::move(target.cgroup),
                              .cgroups = workload_.cgroup_count(),
                              .workers = workload_.worker_count(),
                              .scheduler = std::move(target.scheduler),
                              .map = std::move(target.map),
                              .variable = std::move(target.variable)});
  return ok();
}

Status StepRunner::make_cgroups(std::size_t step, const std::map<std::string, CgroupDef>& cgroups) {
  for (const auto& [name, def] : cgroups)
    KTSTR_TRY(
        stimulate(step, "add_cgroup", {.cgroup = name}, [&] { return workload_.add_cgroup(name, def); }));
  return ok();
}

Status StepRunner::set_up() {
  const auto& scheduler = scenario_.scheduler;
  if (scheduler && !scenario_.workers_first) return set_up_under_scheduler(*scheduler);
  KTSTR_TRY(make_cgroups(0, scenario_.backdrop.cgroups));
  KTSTR_TRY(make_cgroups(0, scenario_.cgroups));
  return scheduler ? attach_first(*scheduler) : ok();
}

/// Its workers never run without it.
Status StepRunner::set_up_under_scheduler(const SchedulerDef& scheduler) {
  for (const auto* cgroups : {&scenario_.backdrop.cgroups, &scenario_.cgroups})
    for (const auto& [name, def] : *cgroups)
      KTSTR_TRY(
          stimulate(0, "add_cgroup", {.cgroup = name}, [&] { return workload_.make_cgroup(name, def); }));
  KTSTR_TRY(attach_first(scheduler));
  for (const auto* cgroups : {&scenario_.backdrop.cgroups, &scenario_.cgroups})
    for (const auto& [name, def] : *cgroups)
      if (!def.works.empty())
        KTSTR_TRY(
            stimulate(0, "spawn", {.cgroup = name}, [&] { return workload_.start_workers(name, def); }));
  return ok();
}

Status StepRunner::attach_first(const SchedulerDef& scheduler) {
  return stimulate(0, "attach_scheduler", {.scheduler = scheduler.name},
                   [&] { return schedulers_.attach(0, scheduler); });
}

Status StepRunner::run_steps(const ProgressCallback& watch) {
  const auto times = plan_holds(scenario_.steps, scenario_.duration);
  if (!times)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("step {}: {}", times.error().front().step + 1, times.error().front().message)};
  Duration left;
  for (const auto& time : *times) left.ns += time.hold.ns;
  for (std::size_t i = 0; i < times->size(); ++i) {
    watch({.stage = Stage::kStep, .elapsed = {}, .step = i + 1, .steps = times->size(), .remaining = left});
    KTSTR_TRY(run_step(i, (*times)[i].hold, (*times)[i].interval));
    KTSTR_TRY(check_liveness(i));
    KTSTR_TRY(end_setup(i));
    left.ns -= (*times)[i].hold.ns;
  }
  return ok();
}

Status StepRunner::run_step(std::size_t index, Duration hold, std::optional<Duration> interval) {
  auto& report = timeline_.steps.emplace_back(
      StepReport{.step = static_cast<std::uint32_t>(index + 1), .start_ns = guest_.now_ns()});
  if (interval) {
    KTSTR_TRY(run_setup(index));
    return loop(index, report, hold, *interval);
  }
  KTSTR_TRY(run_ops(index));
  KTSTR_TRY(run_setup(index));
  report.hold_start_ns = guest_.now_ns();
  KTSTR_TRY(hold_until(index, Duration(guest_.now().ns + hold.ns)));
  report.end_ns = guest_.now_ns();
  return ok();
}

/// After the end that the scenario expects, the hold goes on.
Status StepRunner::hold_until(std::size_t index, Duration moment) {
  while (KTSTR_TRY(guest_.wait_until(moment)) == WaitEnd::kSchedulerEnd)
    KTSTR_TRY(schedulers_.check_alive(index + 1));
  return ok();
}

/// Turns begin at whole intervals since the hold's start; those that the ops of a turn run over are left out.
Status StepRunner::loop(std::size_t index, StepReport& report, Duration hold, Duration interval) {
  const auto start = guest_.now();
  report.hold_start_ns = static_cast<std::uint64_t>(start.ns);
  report.turns = 0;
  for (auto next = start; next.ns < start.ns + hold.ns;) {
    KTSTR_TRY(hold_until(index, next));
    KTSTR_TRY(run_ops(index));
    ++report.turns;
    const auto turns_begun = (guest_.now().ns - start.ns) / interval.ns;
    next = Duration(start.ns + (turns_begun + 1) * interval.ns);
  }
  KTSTR_TRY(hold_until(index, Duration(start.ns + hold.ns)));
  report.end_ns = guest_.now_ns();
  return ok();
}

Status StepRunner::run_ops(std::size_t index) {
  for (const auto& op : scenario_.steps[index].ops) KTSTR_TRY(apply(index + 1, op));
  return ok();
}

/// Carries one op out. An op that nobody here carries out does not compile.
struct StepRunner::Apply {
  StepRunner& runner;
  std::size_t step;

  Status operator()(const AttachSchedulerOp& op) const {
    return runner.schedulers_.attach(step, op.scheduler);
  }
  Status operator()(const ReplaceSchedulerOp& op) const {
    auto def = op.scheduler;
    def.handover = op.handover.value_or(def.handover);
    return runner.schedulers_.replace(step, def);
  }
  Status operator()(const RestartSchedulerOp&) const { return runner.schedulers_.restart(step); }
  Status operator()(const DetachSchedulerOp&) const { return runner.schedulers_.detach(step); }
  Status operator()(const CaptureSnapshotOp& op) const { return runner.capture(op.name); }
  Status operator()(const CaptureCgroupProcsOp& op) const {
    const auto asked = runner.guest_.now_ns();
    auto found = KTSTR_TRY(runner.guest_.ask(protocol::CaptureCgroupProcs{}));
    runner.timeline_.cgroup_procs.push_back(
        {static_cast<std::uint32_t>(step), op.tag, asked, std::move(found.cgroups)});
    return ok();
  }
  Status operator()(const CtprofOp& op) const {
    if (!runner.ctprof_) return Error{ErrorCode::kUnavailable, "nothing here keeps captures"};
    return runner.ctprof_->capture(step, op.tag);
  }
  template <class MapOp>
  requires requires(BpfMaps& maps, const MapOp& op) { maps.apply(0, op); }
  Status operator()(const MapOp& op) const {
    return runner.bpf_maps_ ? runner.bpf_maps_->apply(step, op) : Status(no_memory());
  }
  template <class WorkloadOp>
  requires requires(Workload& workload, const WorkloadOp& op) { workload.apply(op); }
  Status operator()(const WorkloadOp& op) const { return runner.workload_.apply(op); }
};

Status StepRunner::apply(std::size_t step, const Op& op) {
  const auto act = [&]<class Kind>(const Kind& kind) {
    auto target = target_of(kind);
    constexpr bool kCurrent = std::same_as<Kind, RestartSchedulerOp> || std::same_as<Kind, DetachSchedulerOp>;
    if constexpr (kCurrent) target.scheduler = schedulers_.current_name();
    return stimulate(step, describe<Kind>.name, std::move(target), [&] { return Apply{*this, step}(kind); });
  };
  return std::visit(act, op);
}

Status StepRunner::capture(const std::string& name) {
  if (!capture_) return no_memory();
  return capture_(name);
}

Status StepRunner::run_setup(std::size_t index) {
  return make_cgroups(index + 1, scenario_.steps[index].setup);
}

/// With the last step everything ends, all workers at once.
Status StepRunner::end_setup(std::size_t index) {
  const auto& step = scenario_.steps[index];
  if (step.keep || index + 1 == scenario_.steps.size()) return ok();
  for (auto entry = step.setup.rbegin(); entry != step.setup.rend(); ++entry) {
    const auto& name = entry->first;
    if (!workload_.has_cgroup(name)) continue;  // an op removed it, or the one around it ended
    KTSTR_TRY(
        stimulate(index + 1, "remove_cgroup", {.cgroup = name}, [&] { return workload_.end_cgroup(name); }));
  }
  return ok();
}

Status StepRunner::check_liveness(std::size_t index) {
  KTSTR_TRY(guest_.ask(protocol::ReadFile{"/proc/uptime", 64}),
            fmt::format("the guest does not answer after step {}", index + 1));
  return schedulers_.check_alive(index + 1);
}

}  // namespace ktstr::engine
