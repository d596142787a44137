#include "engine/guest/scheduler_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <sstream>
#include <vector>

#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"
#include "engine/guest/memory_left.h"
#include "engine/guest/urgency.h"
#include "engine/protocol/start_output.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

/// Steps of the child, for the message when one fails.
enum class Step : int { kTie, kFolder, kPolicy, kOutput, kHold, kExecute };
constexpr const char* kStepNames[] = {"tie it to the agent",
                                      "enter its folder",
                                      "set its policy",
                                      "connect its output",
                                      "hold its attach (the kernel needs CONFIG_SECCOMP_FILTER; without "
                                      "handover = \"preloaded\" it is not held)",
                                      "execute it"};
struct Failure {
  Step step;
  int error;
};

struct Pipe {
  Fd read_end;
  Fd write_end;
};

/// The variable that marks a scheduler's processes, with a value of its own for each start.
const std::string kMark = "KTSTR_SCHEDULER=";
constexpr std::size_t kMostEnvironment = 64 << 10;

Result<Pipe> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return system_error("socketpair");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<Pipe> make_pipe(int flags) {
  int ends[2];
  if (::pipe2(ends, flags | O_CLOEXEC) < 0) return system_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// Everything the child needs, made before the fork: after it, nothing may allocate.
struct Plan {
  std::vector<std::string> words;
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::string folder;  ///< the program's
  bool is_urgent = is_urgency_due();

  Plan(const protocol::AttachScheduler& request, const std::string& mark) {
    folder = request.program->substr(0, request.program->rfind('/') + 1);
    words.push_back(*request.program);
    words.insert(words.end(), request.args.begin(), request.args.end());
    environment = {"PATH=/bin:/usr/bin", "HOME=/", "TERM=dumb", mark};
    if (request.library_path) environment.push_back("LD_LIBRARY_PATH=" + *request.library_path);
    for (auto& word : words) argv.push_back(word.data());
    for (auto& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
  }
};

/// The child's ends of what joins it to us.
struct Ends {
  int output;
  int failures;
  int listener;  ///< a socket to send the hold's listener by; -1: nothing is held
};

[[noreturn]] void fail(int fd, Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const auto written = ::write(fd, &failure, sizeof failure);
  ::_exit(127);
}

bool set_policy(const Plan& plan) {
  const sched_param param{plan.is_urgent ? static_cast<int>(kLoaderPriority) : 0};
  return ::sched_setscheduler(0, plan.is_urgent ? SCHED_FIFO : SCHED_OTHER, &param) == 0;
}

/// What a message with one descriptor is made of.
struct FdMessage {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  char byte = 0;
  iovec data{&byte, 1};
  msghdr header{nullptr, 0, &data, 1, control, sizeof control, 0};
};

bool send_fd(int socket, int fd) {
  FdMessage message;
  auto* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
  return ::sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1;
}

Fd receive_fd(int socket) {
  FdMessage message;
  if (::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return Fd();
  const auto* control = CMSG_FIRSTHDR(&message.header);
  if (!control || control->cmsg_type != SCM_RIGHTS || control->cmsg_len != CMSG_LEN(sizeof(int))) return Fd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(control), sizeof fd);
  return Fd(fd);
}

bool hold(int socket) {
  if (socket < 0) return true;
  const int listener = hold_attachments();
  return listener >= 0 && send_fd(socket, listener);
}

/// Output to `output`, input from nowhere, and every other descriptor closed when the program begins.
bool connect(int output) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
         ::dup2(output, STDERR_FILENO) >= 0 &&
         ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void live(const Plan& plan, const Ends& ends, pid_t agent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || ::getppid() != agent) fail(ends.failures, Step::kTie);
  ::setpgid(0, 0);
  if (::chdir(plan.folder.c_str()) < 0) fail(ends.failures, Step::kFolder);
  if (!set_policy(plan)) fail(ends.failures, Step::kPolicy);
  if (!connect(ends.output)) fail(ends.failures, Step::kOutput);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  sigset_t unblocked;
  ::sigemptyset(&unblocked);
  ::sigprocmask(SIG_SETMASK, &unblocked, nullptr);
  if (!hold(ends.listener)) fail(ends.failures, Step::kHold);
  ::execve(plan.argv[0], plan.argv.data(), plan.envp.data());
  fail(ends.failures, Step::kExecute);
}

/// Waits until the program began (its end of the pipe closes) or a step before failed.
Status wait_for_begin(int failures, const std::string& program) {
  Failure failure;
  ssize_t got;
  while ((got = ::read(failures, &failure, sizeof failure)) < 0 && errno == EINTR) continue;
  if (got == 0) return ok();
  if (got != sizeof failure) return system_error("start " + program);
  return system_error("start " + program + ": " + kStepNames[static_cast<int>(failure.step)], failure.error);
}

}  // namespace

Result<SchedulerProcess> SchedulerProcess::start(const protocol::AttachScheduler& request) {
  static unsigned started_before = 0;
  auto output = KTSTR_TRY(make_pipe(O_NONBLOCK));
  auto failures = KTSTR_TRY(make_pipe(0));
  auto listener = KTSTR_TRY(request.preloaded ? make_socket_pair() : Pipe{});
  auto mark = kMark + std::to_string(::getpid()) + "." + std::to_string(++started_before);
  const Plan plan(request, mark);
  const auto agent = ::getpid();
  // The child's end blocks: a program that writes faster than we read must not lose lines.
  ::fcntl(output.write_end.get(), F_SETFL, 0);
  const auto pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    live(plan, {output.write_end.get(), failures.write_end.get(), listener.write_end.get()}, agent);
  ::setpgid(pid, pid);
  failures.write_end.reset();
  output.write_end.reset();
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  SchedulerProcess started(std::move(process), std::move(output.read_end), pid, std::move(mark));
  if (!started.process_) return system_error("pidfd_open");
  KTSTR_TRY(wait_for_begin(failures.read_end.get(), *request.program));
  if (!request.preloaded) return started;
  Fd calls = receive_fd(listener.read_end.get());
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
  if (!process_ || exit_) return;
  signal(SIGKILL);
  pollfd end{process_.get(), POLLIN, 0};
  constexpr int kKillTimeoutMs = 2000;
  ::poll(&end, 1, kKillTimeoutMs);
  ::waitpid(pid_, nullptr, WNOHANG);  // one that does not die in time is reaped as an orphan
}

void SchedulerProcess::signal(int number) {
  if (exit_) return;
  is_going_ = true;
  if (number == SIGKILL) ::kill(-pid_, number);
  ::kill(pid_, number);  // a daemon need not lead its group
}

void SchedulerProcess::read_output() {
  char text[4096];
  while (output_) {
    const auto got = ::read(output_.get(), text, sizeof text);
    if (got > 0)
      log_.append({text, static_cast<std::size_t>(got)});
    else if (got == 0 || errno != EINTR) {
      if (got == 0) output_.reset();
      return;
    }
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
  if (!exit_ && is_urgency_due()) make_urgent(pid_);
}

void SchedulerProcess::calm() const {
  if (!exit_) make_ordinary(pid_);
}

std::optional<std::uint64_t> SchedulerProcess::cpu_ns() const {
  clockid_t clock{};
  if (exit_ || ::clock_getcpuclockid(pid_, &clock) != 0) return std::nullopt;
  return clock_ns(clock);
}

void SchedulerProcess::wait(Duration duration) {
  pollfd fds[] = {{process_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {hold_fd(), POLLIN, 0}};
  ::poll(fds, 3, static_cast<int>(duration.ns / 1'000'000));
  read_output();
  serve_hold();
  check_end();
}

/// Orphans come to us, as PID 1 or subreaper. Without CONFIG_PROC_CHILDREN none is found.
std::optional<pid_t> SchedulerProcess::find_daemon() const {
  const auto us = std::to_string(::getpid());
  const auto children = read_file("/proc/self/task/" + us + "/children", kMostEnvironment);
  if (!children) return std::nullopt;
  std::istringstream list(children->text);
  for (pid_t child = 0; list >> child;) {
    if (child == pid_) continue;
    const auto environment = read_file("/proc/" + std::to_string(child) + "/environ", kMostEnvironment);
    if (environment && ('\0' + environment->text).find('\0' + mark_ + '\0') != std::string::npos)
      return child;
  }
  return std::nullopt;
}

/// Precondition: the process that it follows has ended, and is not reaped.
bool SchedulerProcess::follow(pid_t daemon) {
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, daemon, 0)));
  if (!process) return false;
  ::waitpid(pid_, nullptr, 0);
  log_.append("[ktstr: process " + std::to_string(pid_) + " has made itself a daemon: process " +
              std::to_string(daemon) + " is the scheduler from here on]\n");
  process_ = std::move(process);
  pid_ = daemon;
  return true;
}

void SchedulerProcess::check_end() {
  siginfo_t info{};
  if (exit_ || ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
      info.si_pid != pid_)
    return;
  if (!is_going_ && info.si_code == CLD_EXITED && info.si_status == 0)
    if (const auto daemon = find_daemon(); daemon && follow(*daemon)) return;
  ::kill(-pid_, SIGKILL);  // what it left behind; until it is reaped, the group's number is its own
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_)
    exit_ = protocol::ExitInfo{"wait failed", errno};
  else if (WIFSIGNALED(status))
    exit_ = protocol::ExitInfo{killed_ ? "timed out" : "signaled", WTERMSIG(status)};
  else
    exit_ = protocol::ExitInfo{"exited", WEXITSTATUS(status)};
  read_output();
}

}  // namespace ktstr::engine::guest
