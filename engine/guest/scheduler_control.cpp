#include "engine/guest/scheduler_control.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

using protocol::AttachScheduler;
using protocol::SchedulerChanged;
using protocol::SchedulerStatus;

/// No scenario's cgroup can have this name (protocol/cgroup_name.h).
constexpr const char* kCgroupName = "/@scheduler";
constexpr Duration kDefaultDetach = protocol::DetachScheduler{}.timeout;
constexpr Duration kLastWords = std::chrono::seconds(3);
constexpr Duration kKillTimeout = std::chrono::seconds(5);
constexpr Duration kLetGoTimeout = std::chrono::seconds(5);
/// sysfs does not tell of changes: how often it is looked at.
constexpr Duration kLook = std::chrono::milliseconds(10);

std::string text_of(const protocol::ExitInfo& exit) {
  return exit.how + (exit.code ? " " + std::to_string(*exit.code) : "");
}

Status write_all(const std::vector<protocol::ControlWrite>& writes) {
  for (const auto& write : writes) KTSTR_TRY_STATUS(write_control(write.file, write.value));
  return ok();
}

/// Looks until `condition` holds, taking the program's output and end in meanwhile; false after `timeout`.
bool wait_for(std::optional<SchedulerProcess>& process, Duration timeout,
              const std::function<bool()>& condition) {
  const auto deadline = monotonic_ns() + static_cast<std::uint64_t>(timeout.ns);
  while (!condition()) {
    if (monotonic_ns() >= deadline) return false;
    if (process && !process->exit()) {
      process->wait(kLook);
    } else {
      const timespec pause{0, static_cast<long>(kLook.ns)};
      ::nanosleep(&pause, nullptr);
    }
  }
  return true;
}

}  // namespace

SchedulerControl::SchedulerControl(std::string cgroup_root, std::string sched_ext, const char* kernel_log)
    : cgroup_root_(std::move(cgroup_root)), sched_ext_(std::move(sched_ext)), kernel_log_(kernel_log) {}
SchedulerControl::~SchedulerControl() = default;

bool SchedulerControl::kernel_runs_it() const {
  const auto state = read_sched_ext(sched_ext_);
  return state && state->state == "enabled" && state->ops && state->ops == attached_->ops;
}

bool SchedulerControl::is_alive() const {
  if (!attached_ || attached_->death) return false;
  return !attached_->process || (!attached_->process->exit() && kernel_runs_it());
}

SchedulerStatus SchedulerControl::status() {
  auto& [request, process, kernel_log, ops, death] = *attached_;
  kernel_log.update();
  SchedulerStatus status;
  status.name = request.name;
  status.attached = is_alive();
  if (auto state = read_sched_ext(sched_ext_)) status.state = std::move(state->state);
  status.ops = ops;
  status.kernel_log = kernel_log.lines();
  status.kernel_error = kernel_log.has_error();
  status.death = death;
  if (!process) return status;
  process->read_output();
  status.pid = process->pid();
  status.exit = process->exit();
  status.log = process->log().lines();
  status.log_lines_dropped = process->log().dropped();
  return status;
}

Status SchedulerControl::check_free(const AttachScheduler& request) {
  if (attached_)
    return Error{ErrorCode::kInvalidArgument,
                 "the scheduler " + attached_->request.name + " is attached already"};
  if (!request.program) return ok();
  const auto state = KTSTR_TRY(read_sched_ext(sched_ext_));
  if (state.state != "disabled")
    return Error{ErrorCode::kInvalidArgument, "sched_ext is " + state.state + " already, by " +
                                                  state.ops.value_or("nobody known") +
                                                  ", which the agent has not started"};
  return ok();
}

Result<SchedulerChanged> SchedulerControl::attach(const AttachScheduler& request) {
  KTSTR_TRY_STATUS(check_free(request));
  last_ = request;
  SchedulerChanged changed;
  changed.problem = start(request);
  changed.current = status();
  if (changed.problem) attached_.reset();
  return changed;
}

/// Why it is not attached; its program has ended then.
SchedulerControl::Problem SchedulerControl::start(const AttachScheduler& request) {
  attached_.emplace(Attached{.request = request, .kernel_log = KernelLog(kernel_log_)});
  auto started = write_all(request.before);
  if (started) started = request.program ? start_program(request) : write_all(request.enable);
  if (!started) return started.error().message;
  attached_ns_ = monotonic_ns();
  if (!request.program) return std::nullopt;
  auto problem = wait_attached(request.timeout);
  if (!problem) return std::nullopt;
  stop_program(Duration(0));
  if (const auto stuck = wait_gone()) problem->append("; ").append(*stuck);
  return problem;
}

Status SchedulerControl::start_program(const AttachScheduler& request) {
  if (cgroup_.empty()) {
    const auto cgroup = cgroup_root_ + kCgroupName;
    if (::mkdir(cgroup.c_str(), 0755) < 0 && errno != EEXIST) return system_error("mkdir " + cgroup);
    cgroup_ = cgroup;
  }
  attached_->process.emplace(KTSTR_TRY(SchedulerProcess::start(request, cgroup_)));
  return ok();
}

SchedulerControl::Problem SchedulerControl::wait_attached(Duration timeout) {
  auto& process = attached_->process;
  const auto runs = [&] {
    const auto state = read_sched_ext(sched_ext_);
    if (!state || state->state != "enabled" || !state->ops || state->ops->empty()) return false;
    attached_->ops = state->ops;
    attached_ns_ = monotonic_ns();
    return true;
  };
  const bool settled = wait_for(process, timeout, [&] { return process->exit() || runs(); });
  if (process->exit())
    return "its program ended (" + text_of(*process->exit()) + ") before the kernel ran it";
  if (settled) return std::nullopt;
  const auto state = read_sched_ext(sched_ext_);
  return "the kernel does not run it after " + format_duration(timeout) + " (sched_ext is " +
         (state ? state->state : "gone") + ")";
}

void SchedulerControl::stop_program(Duration timeout) {
  auto& process = attached_->process;
  if (!process || process->exit()) return;
  const auto ended = [&] {
    if (gone_ns_ == 0 && !kernel_runs_it()) gone_ns_ = monotonic_ns();
    return process->exit().has_value();
  };
  process->signal(SIGTERM);
  if (timeout.ns > 0 && wait_for(process, timeout, ended)) return;
  process->mark_killed();
  process->signal(SIGKILL);
  (void)wait_for(process, kKillTimeout, ended);  // wait_gone() tells what is left
}

SchedulerControl::Problem SchedulerControl::wait_gone() {
  auto& process = attached_->process;
  if (!process) return std::nullopt;
  const bool gone = wait_for(process, kLetGoTimeout, [&] {
    const auto state = read_sched_ext(sched_ext_);
    return !state || state->state == "disabled";
  });
  if (gone_ns_ == 0) gone_ns_ = monotonic_ns();
  if (!process->exit()) return "its program can't be killed";
  if (gone) return std::nullopt;
  const auto state = read_sched_ext(sched_ext_);
  return "its program has ended, but sched_ext is still " + (state ? state->state : "there");
}

/// Why it is still there.
SchedulerControl::Problem SchedulerControl::stop(Duration timeout) {
  gone_ns_ = 0;
  if (attached_->process) {
    stop_program(timeout);
    return wait_gone();
  }
  const auto undone = write_all(attached_->request.disable);
  gone_ns_ = monotonic_ns();
  if (!undone) return undone.error().message;
  return std::nullopt;
}

void SchedulerControl::notice_death() {
  if (!attached_ || attached_->death || is_alive()) return;
  auto& process = *attached_->process;
  // Programs that notice the end tell what they know of it.
  (void)wait_for(attached_->process, kLastWords, [&] { return process.exit().has_value(); });
  attached_->kernel_log.update();
  attached_->death = process.exit() ? "its program ended (" + text_of(*process.exit()) + ")"
                                    : "the kernel no longer runs it, though its program has not ended";
}

Result<SchedulerChanged> SchedulerControl::detach(Duration timeout) {
  if (!attached_) return SchedulerChanged{};
  notice_death();
  SchedulerChanged changed;
  changed.problem = stop(timeout);
  changed.former = status();
  if (!changed.problem) attached_.reset();
  return changed;
}

Result<SchedulerChanged> SchedulerControl::replace(const AttachScheduler& next) {
  const bool was_attached = attached_.has_value();
  auto left = KTSTR_TRY(detach(kDefaultDetach));
  if (left.problem) return left;
  auto changed = KTSTR_TRY(attach(next));
  changed.former = std::move(left.former);
  if (was_attached && !changed.problem) changed.gap_ns = attached_ns_ - std::min(attached_ns_, gone_ns_);
  return changed;
}

Result<SchedulerChanged> SchedulerControl::restart() {
  if (!last_)
    return Error{ErrorCode::kInvalidArgument, "no scheduler was attached that could be started again"};
  return replace(AttachScheduler(*last_));
}

SchedulerChanged SchedulerControl::query() {
  if (!attached_) return {};
  notice_death();
  SchedulerChanged changed;
  if (attached_->death) changed.problem = stop(Duration(kLook));
  changed.current = status();
  if (attached_->death && !changed.problem) attached_.reset();
  return changed;
}

int SchedulerControl::output_fd() const {
  return attached_ && attached_->process ? attached_->process->output_fd() : -1;
}

void SchedulerControl::read_output() {
  if (attached_ && attached_->process) attached_->process->read_output();
}

bool SchedulerControl::reap(pid_t pid) {
  if (!attached_ || !attached_->process || attached_->process->pid() != pid) return false;
  attached_->process->check_end();
  return true;
}

Status SchedulerControl::end() {
  attached_.reset();
  if (!cgroup_.empty() && ::rmdir(cgroup_.c_str()) < 0) return system_error("rmdir " + cgroup_);
  cgroup_.clear();
  return ok();
}

}  // namespace ktstr::engine::guest
