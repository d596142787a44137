#include "engine/run/step_runner.h"

#include <fmt/format.h>

#include "engine/scenario/holds.h"

namespace ktstr::engine {
namespace {

std::uint64_t to_ns(Duration duration) {
  return static_cast<std::uint64_t>(duration.ns);
}

/// The cgroup that an op is done to; the first one for an op on two.
std::optional<std::string> target(const Op& op) {
  return std::visit(
      [](const auto& kind) -> std::optional<std::string> {
        if constexpr (requires { kind.cgroup; })
          return kind.cgroup;
        else if constexpr (requires { kind.from; })
          return kind.from;
        else if constexpr (requires { kind.a; })
          return kind.a;
        else
          return std::nullopt;
      },
      op);
}

std::string_view op_name(const Op& op) {
  return std::visit([](const auto& kind) { return describe<std::remove_cvref_t<decltype(kind)>>.name; }, op);
}

}  // namespace

StepRunner::StepRunner(const Scenario& scenario, Guest& guest, Workload& workload,
                       SchedulerDriver& schedulers, Timeline& timeline)
    : scenario_(scenario), guest_(guest), workload_(workload), schedulers_(schedulers), timeline_(timeline) {}

Status StepRunner::stimulate(std::size_t step, std::string_view op, std::optional<std::string> cgroup,
                             const std::function<Status()>& act, std::optional<std::string> scheduler) {
  const auto began = guest_.now();
  if (auto status = act(); !status) {
    if (scheduler) return status;  // a scheduler's story names its step
    const auto place = step == 0 ? "before the first step" : fmt::format("step {}", step);
    return std::move(status.error())
        .with_context(cgroup ? fmt::format("{}: {} {}", place, op, *cgroup)
                             : fmt::format("{}: {}", place, op));
  }
  const auto done = guest_.now();
  timeline_.events.push_back({to_ns(done), to_ns(done) - to_ns(began), static_cast<std::uint32_t>(step),
                              std::string(op), std::move(cgroup), workload_.cgroup_count(),
                              workload_.worker_count(), std::move(scheduler)});
  return ok();
}

Status StepRunner::make_cgroups(std::size_t step, const std::map<std::string, CgroupDef>& cgroups) {
  for (const auto& [name, def] : cgroups)
    KTSTR_TRY_STATUS(stimulate(step, "add_cgroup", name, [&] { return workload_.add_cgroup(name, def); }));
  return ok();
}

Status StepRunner::set_up() {
  if (const auto& def = scenario_.scheduler)
    KTSTR_TRY_STATUS(stimulate(
        0, "attach_scheduler", {}, [&] { return schedulers_.attach(0, *def); }, def->name));
  KTSTR_TRY_STATUS(make_cgroups(0, scenario_.backdrop.cgroups));
  return make_cgroups(0, scenario_.cgroups);
}

Status StepRunner::run_steps(const ProgressCallback& watch) {
  const auto times = plan_holds(scenario_.steps, scenario_.duration);
  if (!times)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("step {}: {}", times.error().step + 1, times.error().message)};
  Duration left;
  for (const auto& time : *times) left.ns += time.hold.ns;
  for (std::size_t i = 0; i < times->size(); ++i) {
    watch({.stage = Stage::kStep, .elapsed = {}, .step = i + 1, .steps = times->size(), .remaining = left});
    KTSTR_TRY_STATUS(run_step(i, (*times)[i].hold, (*times)[i].interval));
    KTSTR_TRY_STATUS(check_liveness(i));
    left.ns -= (*times)[i].hold.ns;
  }
  return ok();
}

Status StepRunner::run_step(std::size_t index, Duration hold, std::optional<Duration> interval) {
  auto& report = timeline_.steps.emplace_back(
      StepReport{.step = static_cast<std::uint32_t>(index + 1), .start_ns = to_ns(guest_.now())});
  if (interval) {
    KTSTR_TRY_STATUS(run_setup(index));
    return loop(index, report, hold, *interval);
  }
  KTSTR_TRY_STATUS(run_ops(index));
  KTSTR_TRY_STATUS(run_setup(index));
  report.hold_start_ns = to_ns(guest_.now());
  KTSTR_TRY_STATUS(guest_.wait_until(Duration(guest_.now().ns + hold.ns)));
  report.end_ns = to_ns(guest_.now());
  return ok();
}

/// Turns begin at whole intervals since the hold's start; those that the ops of a turn run over are left out.
Status StepRunner::loop(std::size_t index, StepReport& report, Duration hold, Duration interval) {
  const auto start = guest_.now();
  report.hold_start_ns = to_ns(start);
  report.turns = 0;
  for (auto next = start; next.ns < start.ns + hold.ns;) {
    KTSTR_TRY_STATUS(guest_.wait_until(next));
    KTSTR_TRY_STATUS(run_ops(index));
    ++report.turns;
    const auto turns_begun = (guest_.now().ns - start.ns) / interval.ns;
    next = Duration(start.ns + (turns_begun + 1) * interval.ns);
  }
  KTSTR_TRY_STATUS(guest_.wait_until(Duration(start.ns + hold.ns)));
  report.end_ns = to_ns(guest_.now());
  return ok();
}

Status StepRunner::run_ops(std::size_t index) {
  for (const auto& op : scenario_.steps[index].ops) KTSTR_TRY_STATUS(apply(index + 1, op));
  return ok();
}

Status StepRunner::apply(std::size_t step, const Op& op) {
  const auto act = [&]<class Kind>(const Kind& kind) {
    if constexpr (std::same_as<Kind, AttachSchedulerOp>)
      return stimulate(
          step, op_name(op), {}, [&] { return schedulers_.attach(step, kind.scheduler); },
          kind.scheduler.name);
    else if constexpr (std::same_as<Kind, ReplaceSchedulerOp>)
      return stimulate(
          step, op_name(op), {}, [&] { return schedulers_.replace(step, kind.scheduler); },
          kind.scheduler.name);
    else if constexpr (std::same_as<Kind, RestartSchedulerOp>)
      return stimulate(
          step, op_name(op), {}, [&] { return schedulers_.restart(step); }, schedulers_.current_name());
    else if constexpr (std::same_as<Kind, DetachSchedulerOp>)
      return stimulate(
          step, op_name(op), {}, [&] { return schedulers_.detach(step); }, schedulers_.current_name());
    else if constexpr (std::same_as<Kind, CaptureSnapshotOp>)
      return stimulate(step, op_name(op), {}, [&] { return capture(kind.name); });
    else
      return stimulate(step, op_name(op), target(op), [&] { return workload_.apply(op); });
  };
  return std::visit(act, op);
}

Status StepRunner::capture(const std::string& name) {
  if (!capture_) return Error{ErrorCode::kUnavailable, "the guest's memory can't be read"};
  return capture_(name);
}

Status StepRunner::run_setup(std::size_t index) {
  return make_cgroups(index + 1, scenario_.steps[index].setup);
}

Status StepRunner::check_liveness(std::size_t index) {
  auto reply = guest_.ask(protocol::ReadFile{"/proc/uptime", 64});
  if (!reply)
    return std::move(reply.error())
        .with_context(fmt::format("the guest does not answer after step {}", index + 1));
  return schedulers_.check_alive(index + 1);
}

}  // namespace ktstr::engine
