#include "engine/guest/scheduler_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "engine/protocol/start_output.h"

namespace ktstr::engine::guest {
namespace {

/// Steps of the child, for the message when one fails.
enum class Step : int { kTie, kCgroup, kPolicy, kOutput, kExecute };
constexpr const char* kStepNames[] = {"tie it to the agent", "enter its cgroup", "set its policy",
                                      "connect its output", "execute it"};
struct Failure {
  Step step;
  int error;
};

struct Pipe {
  Fd read_end;
  Fd write_end;
};

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
  std::string procs;  ///< cgroup.procs; empty: stay

  Plan(const protocol::AttachScheduler& request, const std::string& cgroup) {
    words.push_back(*request.program);
    words.insert(words.end(), request.args.begin(), request.args.end());
    environment = {"PATH=/bin:/usr/bin", "HOME=/", "TERM=dumb"};
    if (request.library_path) environment.push_back("LD_LIBRARY_PATH=" + *request.library_path);
    for (auto& word : words) argv.push_back(word.data());
    for (auto& variable : environment) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    if (!cgroup.empty()) procs = cgroup + "/cgroup.procs";
  }
};

[[noreturn]] void fail(int fd, Step step) {
  const Failure failure{step, errno};
  [[maybe_unused]] const auto written = ::write(fd, &failure, sizeof failure);
  ::_exit(127);
}

bool enter_cgroup(const Plan& plan) {
  if (plan.procs.empty()) return true;
  const int procs = ::open(plan.procs.c_str(), O_WRONLY | O_CLOEXEC);
  return procs >= 0 && ::write(procs, "0", 1) == 1;
}

/// Output to `output`, input from nowhere, and every other descriptor closed when the program begins.
bool connect(int output) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
         ::dup2(output, STDERR_FILENO) >= 0 &&
         ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void live(const Plan& plan, int output, int failures, pid_t agent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || ::getppid() != agent) fail(failures, Step::kTie);
  ::setpgid(0, 0);
  if (!enter_cgroup(plan)) fail(failures, Step::kCgroup);
  const sched_param none{};
  if (::sched_setscheduler(0, SCHED_OTHER, &none) < 0) fail(failures, Step::kPolicy);
  if (!connect(output)) fail(failures, Step::kOutput);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  sigset_t unblocked;
  ::sigemptyset(&unblocked);
  ::sigprocmask(SIG_SETMASK, &unblocked, nullptr);
  ::execve(plan.argv[0], plan.argv.data(), plan.envp.data());
  fail(failures, Step::kExecute);
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

Result<SchedulerProcess> SchedulerProcess::start(const protocol::AttachScheduler& request,
                                                 const std::string& cgroup) {
  auto output = KTSTR_TRY(make_pipe(O_NONBLOCK));
  auto failures = KTSTR_TRY(make_pipe(0));
  const Plan plan(request, cgroup);
  const auto agent = ::getpid();
  // The child's end blocks: a program that writes faster than we read must not lose lines.
  ::fcntl(output.write_end.get(), F_SETFL, 0);
  const auto pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) live(plan, output.write_end.get(), failures.write_end.get(), agent);
  ::setpgid(pid, pid);
  failures.write_end.reset();
  output.write_end.reset();
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  SchedulerProcess started(std::move(process), std::move(output.read_end), pid);
  if (!started.process_) return system_error("pidfd_open");
  KTSTR_TRY_STATUS(wait_for_begin(failures.read_end.get(), *request.program));
  return started;
}

/// A bare host's /tmp is not ours.
OutputLog SchedulerProcess::new_log() {
  if (::getpid() != 1) return {};
  return {protocol::kStartOutputFile, protocol::kMostStartOutput};
}

SchedulerProcess::~SchedulerProcess() {
  if (!process_ || exit_) return;
  signal(SIGKILL);
  pollfd end{process_.get(), POLLIN, 0};
  constexpr int kKillTimeoutMs = 2000;
  ::poll(&end, 1, kKillTimeoutMs);
  ::waitpid(pid_, nullptr, WNOHANG);  // one that does not die in time is reaped as an orphan
}

void SchedulerProcess::signal(int number) const {
  if (exit_) return;
  ::kill(number == SIGKILL ? -pid_ : pid_, number);
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

void SchedulerProcess::wait(Duration duration) {
  pollfd fds[] = {{process_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}};
  ::poll(fds, 2, static_cast<int>(duration.ns / 1'000'000));
  read_output();
  check_end();
}

void SchedulerProcess::check_end() {
  siginfo_t info{};
  if (exit_ || ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
      info.si_pid != pid_)
    return;
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
