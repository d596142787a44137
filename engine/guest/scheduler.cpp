#include "engine/guest/scheduler.h"

#include <csignal>
#include <utility>

#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"

namespace ktstr::engine::guest {
namespace {

constexpr Duration kLastWords = std::chrono::seconds(3);
constexpr Duration kProgramKillTimeout = std::chrono::seconds(5);
constexpr Duration kLetGoTimeout = std::chrono::seconds(5);
/// All that is left to do of a held attach.
constexpr Duration kHeldAttachTimeout = std::chrono::seconds(30);
/// How often the kernel is looked at; shorter where the time between two schedulers runs.
constexpr Duration kLook = std::chrono::milliseconds(5);
constexpr Duration kShortLook = std::chrono::milliseconds(1);

Status write_each(const std::vector<protocol::ControlWrite>& writes) {
  for (const auto& write : writes) KTSTR_TRY(write_control(write.file, write.value));
  return ok();
}

}  // namespace

Scheduler::Scheduler(protocol::AttachScheduler request, const SchedExtPlaces& places,
                     std::function<void()> on_look)
    : request_(std::move(request)), places_(places), on_look_(std::move(on_look)), kernel_log_(places.log) {}

/// Looks until `condition` holds, taking the program's output and end in meanwhile; false after `timeout`.
bool Scheduler::wait_for(Duration timeout, Duration look, const std::function<bool()>& condition) {
  const auto deadline = monotonic_ns() + static_cast<std::uint64_t>(timeout.ns);
  while (!condition()) {
    if (monotonic_ns() >= deadline) return false;
    if (on_look_) on_look_();
    if (process_ && !process_->exit()) {
      process_->wait(look);
    } else {
      const timespec pause{0, static_cast<long>(look.ns)};
      ::nanosleep(&pause, nullptr);
    }
  }
  return true;
}

std::string Scheduler::state() const {
  const auto state = read_sched_ext(places_.directory);
  return state ? state->state : "gone";
}

/// Tells a program that is still being verified from one that waits for something.
std::string Scheduler::cpu_time_text() const {
  constexpr std::uint64_t kMillisecond = 1'000'000;
  const auto used = process_ ? process_->cpu_ns() : std::nullopt;
  if (!used) return "";
  const Duration rounded(static_cast<std::int64_t>(*used / kMillisecond * kMillisecond));
  return "; its program used " + format_duration(rounded) + " of CPU time";
}

bool Scheduler::kernel_is_free() const {
  const auto state = read_sched_ext(places_.directory);
  return !state || state->state == "disabled";
}

/// The time is that before the look: a gap that begins with it is never told too short.
bool Scheduler::kernel_runs_it() {
  const auto now = monotonic_ns();
  const auto state = read_sched_ext(places_.directory);
  const bool runs = state && state->state == "enabled" && state->ops && state->ops == ops_;
  if (runs) seen_ns_ = now;
  return runs;
}

bool Scheduler::take_attachment() {
  const auto state = read_sched_ext(places_.directory);
  if (!state || state->state != "enabled" || !state->ops || state->ops->empty()) return false;
  ops_ = state->ops;
  attached_ns_ = seen_ns_ = monotonic_ns();
  load_cpu_ns_ = process_->cpu_ns();
  process_->calm();
  return true;
}

Scheduler::Problem Scheduler::start() {
  started_ns_ = monotonic_ns();
  auto started = write_each(request_.before);
  if (started && !request_.program) started = write_each(request_.enable);
  if (started && request_.program) {
    auto process = SchedulerProcess::start(request_);
    if (process)
      process_.emplace(std::move(*process));
    else
      started = std::move(process.error());
  }
  if (!started) return started.error().message;
  if (!request_.program) attached_ns_ = monotonic_ns();
  return std::nullopt;
}

Scheduler::Problem Scheduler::wait_attached() {
  return wait_attached(request_.timeout, kLook);
}

Scheduler::Problem Scheduler::wait_attached(Duration timeout, Duration look) {
  if (!process_) return std::nullopt;
  const bool settled = wait_for(timeout, look, [&] { return process_->exit() || take_attachment(); });
  Problem problem;
  if (process_->exit())
    problem = "its program ended (" + protocol::exit_text(*process_->exit()) + ") before the kernel ran it";
  else if (!settled)
    problem = "the kernel does not run it after " + format_duration(timeout) + " (sched_ext is " + state() +
              cpu_time_text() + ")";
  if (!problem) return problem;
  kill_program();
  if (const auto stuck = wait_gone()) problem->append("; ").append(*stuck);
  return problem;
}

Scheduler::Problem Scheduler::wait_held(Scheduler& former) {
  const auto settled = [&] {
    return process_->exit() || process_->serve_hold() || (!former.is_alive() && take_attachment());
  };
  const bool in_time = wait_for(request_.timeout, kLook, settled);
  Problem problem;
  if (process_->exit())
    problem = "its program ended (" + protocol::exit_text(*process_->exit()) +
              ") before it was held at its attach, bpf(BPF_LINK_CREATE) of a struct_ops map; a program that "
              "attaches in another way can't be preloaded";
  else if (!in_time)
    problem = "it did not come to its attach, bpf(BPF_LINK_CREATE) of a struct_ops map, within " +
              format_duration(request_.timeout) + cpu_time_text();
  if (problem) kill_program();
  return problem;
}

Scheduler::Problem Scheduler::attach_held() {
  process_->open_hold();
  return attached_ns_ ? std::nullopt : wait_attached(kHeldAttachTimeout, kShortLook);
}

bool Scheduler::is_alive() {
  if (!attached_ns_ || death_ || gone_ns_) return false;
  if (!process_ || (!process_->exit() && kernel_runs_it())) return true;
  gone_ns_ = monotonic_ns();
  return false;
}

void Scheduler::await_death(Duration patience) {
  static_cast<void>(wait_for(patience, kLook, [&] { return !is_alive(); }));
}

void Scheduler::notice_death() {
  if (death_ || is_alive()) return;
  // Programs that notice the end tell what they know of it.
  static_cast<void>(wait_for(kLastWords, kLook, [&] { return process_->exit().has_value(); }));
  kernel_log_.update();
  death_ = process_->exit() ? "its program ended (" + protocol::exit_text(*process_->exit()) + ")"
                            : "the kernel no longer runs it, though its program has not ended";
}

bool Scheduler::reap(pid_t pid) {
  if (!process_ || process_->pid() != pid) return false;
  process_->check_end();
  if (process_->exit() && attached_ns_ && !gone_ns_) gone_ns_ = monotonic_ns();
  return true;
}

void Scheduler::watch_going() {
  if (attached_ns_ && !gone_ns_ && !kernel_runs_it()) gone_ns_ = seen_ns_;
}

bool Scheduler::has_ended() {
  watch_going();
  return process_->exit().has_value();
}

bool Scheduler::has_let_go() {
  watch_going();
  return kernel_is_free();
}

void Scheduler::kill_program() {
  if (!process_ || process_->exit()) return;
  process_->mark_killed();
  process_->signal(SIGKILL);
  // Whoever asks next tells what is left.
  static_cast<void>(wait_for(kProgramKillTimeout, kLook, [&] { return has_ended(); }));
}

Scheduler::Problem Scheduler::wait_gone() {
  const bool gone = wait_for(kLetGoTimeout, kLook, [&] { return has_let_go(); });
  if (process_ && !process_->exit()) return "its program can't be killed";
  if (gone) return std::nullopt;
  return "its program has ended, but sched_ext is still " + state();
}

Scheduler::Problem Scheduler::stop(Duration timeout) {
  if (process_) {
    finish(timeout);
    return wait_gone();
  }
  const auto undone = write_each(request_.disable);
  gone_ns_ = monotonic_ns();
  if (!undone) return undone.error().message;
  return std::nullopt;
}

/// Once: a second signal may mean "at once" to a program.
void Scheduler::ask_to_go() {
  if (std::exchange(asked_to_go_, true)) return;
  process_->hurry();
  process_->signal(SIGTERM);
}

void Scheduler::finish(Duration timeout) {
  if (!process_ || process_->exit()) return;
  ask_to_go();
  if (!wait_for(timeout, kLook, [&] { return has_ended(); })) kill_program();
}

Scheduler::Problem Scheduler::let_go(Duration timeout) {
  ask_to_go();
  if (wait_for(timeout, kShortLook, [&] { return has_let_go(); })) return std::nullopt;
  kill_program();
  return wait_gone();
}

protocol::SchedulerStatus Scheduler::status() {
  kernel_log_.update();
  protocol::SchedulerStatus status;
  status.name = request_.name;
  status.attached = is_alive();
  if (auto state = read_sched_ext(places_.directory)) status.state = std::move(state->state);
  status.ops = ops_;
  status.kernel_log = kernel_log_.lines();
  status.kernel_error = kernel_log_.has_error();
  status.death = death_;
  status.attached_ns = attached_ns_;
  status.gone_ns = gone_ns_;
  if (!process_) return status;
  process_->read_output();
  status.pid = process_->pid();
  status.exit = process_->exit();
  status.log = process_->log().lines();
  status.log_lines_dropped = process_->log().dropped();
  if (attached_ns_) status.load_ns = *attached_ns_ - started_ns_;
  status.load_cpu_ns = load_cpu_ns_;
  return status;
}

}  // namespace ktstr::engine::guest
