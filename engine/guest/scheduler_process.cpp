#include "engine/guest/scheduler_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"
#include "engine/guest/memory_left.h"
#include "engine/guest/urgency.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

/// The variable that marks a scheduler's processes, with a value of its own for each start.
const std::string kMark = "KTSTR_SCHEDULER=";
constexpr std::size_t kMostEnvironment = 64 << 10;
constexpr const char* kHoldStep =
    "hold its attach (the kernel needs CONFIG_SECCOMP_FILTER; without handover = \"preloaded\" it is not "
    "held)";

bool set_policy(bool is_urgent) {
  const sched_param param{is_urgent ? static_cast<int>(kLoaderPriority) : 0};
  return ::sched_setscheduler(0, is_urgent ? SCHED_FIFO : SCHED_OTHER, &param) == 0;
}

bool hold(int socket) {
  const int listener = hold_attachments();
  return listener >= 0 && send_with_fd(socket, "h", listener) == 1;
}

ChildPlan plan_of(const protocol::AttachScheduler& request, const std::string& mark) {
  ChildPlan plan;
  plan.arguments = {*request.program};
  plan.arguments.insert(plan.arguments.end(), request.args.begin(), request.args.end());
  plan.environment = {"PATH=/bin:/usr/bin", "HOME=/", "TERM=dumb", mark};
  if (request.library_path) plan.environment->push_back("LD_LIBRARY_PATH=" + *request.library_path);
  plan.directory = request.program->substr(0, request.program->rfind('/') + 1);
  plan.steps.push_back({"set its policy", [is_urgent = is_urgency_due()] { return set_policy(is_urgent); }});
  return plan;
}

}  // namespace

Result<SchedulerProcess> SchedulerProcess::start(const protocol::AttachScheduler& request) {
  static unsigned started_before = 0;
  auto output = KTSTR_TRY(make_pipe());
  auto mark = fmt::format("{}{}.{}", kMark, ::getpid(), ++started_before);
  auto plan = plan_of(request, mark);
  // The child's end blocks: a program that writes faster than we read must not lose lines.
  ::fcntl(output.read_end.get(), F_SETFL, O_NONBLOCK);
  plan.output = plan.errors = output.write_end.get();
  SocketPair listener;
  if (request.preloaded) {
    listener = KTSTR_TRY(make_socket_pair());
    plan.steps.push_back({kHoldStep, [socket = listener.theirs.get()] { return hold(socket); }});
  }
  SchedulerProcess started(KTSTR_TRY(start_child(std::move(plan))), std::move(output.read_end),
                           std::move(mark));
  if (!request.preloaded) return started;
  Fd calls = receive_fd(listener.ours.get());
  if (!calls) return Error{ErrorCode::kIo, "start " + *request.program + ": no listener of its calls came"};
  started.hold_.emplace(std::move(calls));
  return started;
}

/// A bare host's /tmp is not ours.
OutputLog SchedulerProcess::new_log() {
  if (::getpid() != 1) return {};
  return {protocol::kStartOutputFile, protocol::kMostStartOutput,
          [] { return memory_left().value_or(0) >= protocol::kLeftBesideStartOutput; }};
}

SchedulerProcess::~SchedulerProcess() {
  if (!process_.pidfd || exit_) return;
  signal(SIGKILL);
  constexpr Duration kKillTimeout = std::chrono::seconds(2);
  static_cast<void>(is_readable(process_.pidfd.get(), deadline_after(kKillTimeout)));
  ::waitpid(process_.pid, nullptr, WNOHANG);  // one that does not die in time is reaped as an orphan
}

void SchedulerProcess::signal(int number) {
  if (exit_) return;
  is_going_ = true;
  if (number == SIGKILL) ::kill(-process_.pid, number);
  ::kill(process_.pid, number);  // a daemon need not lead its group
}

void SchedulerProcess::read_output() {
  char text[4096];
  while (output_) {
    const auto got = read_some(output_.get(), text, sizeof text);
    if (got < 0) return;
    if (got == 0) return output_.reset();
    log_.append({text, static_cast<std::size_t>(got)});
  }
}

bool SchedulerProcess::serve_hold() {
  if (!hold_) return false;
  hold_->serve();
  return hold_->holds();
}

void SchedulerProcess::open_hold() {
  if (hold_) hold_->open();
}

void SchedulerProcess::hurry() const {
  if (!exit_ && is_urgency_due()) make_urgent(process_.pid);
}

void SchedulerProcess::calm() const {
  if (!exit_) make_ordinary(process_.pid);
}

std::optional<std::uint64_t> SchedulerProcess::cpu_ns() const {
  clockid_t clock{};
  if (exit_ || ::clock_getcpuclockid(process_.pid, &clock) != 0) return std::nullopt;
  return clock_ns(clock);
}

void SchedulerProcess::wait(Duration duration) {
  pollfd fds[] = {{process_.pidfd.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {hold_fd(), POLLIN, 0}};
  static_cast<void>(poll_until(fds, deadline_after(duration)));
  read_output();
  serve_hold();
  check_end();
}

/// Orphans come to us, as PID 1 or subreaper. Without CONFIG_PROC_CHILDREN none is found.
std::optional<pid_t> SchedulerProcess::find_daemon() const {
  const auto us = std::to_string(::getpid());
  const auto children = read_file("/proc/self/task/" + us + "/children", kMostEnvironment);
  if (!children) return std::nullopt;
  for (const auto child : pids_in(children->text)) {
    if (child == process_.pid) continue;
    const auto environment = read_file("/proc/" + std::to_string(child) + "/environ", kMostEnvironment);
    if (environment && ('\0' + environment->text).find('\0' + mark_ + '\0') != std::string::npos)
      return child;
  }
  return std::nullopt;
}

/// Precondition: the process that it follows has ended, and is not reaped.
bool SchedulerProcess::follow(pid_t daemon) {
  auto pidfd = open_pidfd(daemon);
  if (!pidfd) return false;
  reap(process_.pid);
  log_.append(
      fmt::format("[ktstr: process {} has made itself a daemon: process {} is the scheduler from here on]\n",
                  process_.pid, daemon));
  process_ = {daemon, std::move(*pidfd)};
  return true;
}

void SchedulerProcess::check_end() {
  siginfo_t info{};
  if (exit_ || ::waitid(P_PID, static_cast<id_t>(process_.pid), &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
      info.si_pid != process_.pid)
    return;
  if (!is_going_ && info.si_code == CLD_EXITED && info.si_status == 0)
    if (const auto daemon = find_daemon(); daemon && follow(*daemon)) return;
  ::kill(-process_.pid, SIGKILL);  // what it left behind; until it is reaped, the group's number is its own
  int status = 0;
  if (::waitpid(process_.pid, &status, 0) != process_.pid)
    exit_ = protocol::ExitInfo{"wait failed", errno};
  else if (WIFSIGNALED(status))
    exit_ = protocol::ExitInfo{killed_ ? "timed out" : "signaled", WTERMSIG(status)};
  else
    exit_ = protocol::ExitInfo{"exited", WEXITSTATUS(status)};
  read_output();
}

}  // namespace ktstr::engine::guest
