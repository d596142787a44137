#include "engine/base/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "engine/base/io.h"
#include "engine/base/pipe.h"

namespace ktstr {
namespace {

/// What the child tells when the program does not begin. Literals lie where they lie in the parent.
struct Failure {
  const char* step = nullptr;
  int error = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Everything the child needs, made before the fork: after it, nothing may allocate.
class Start {
 public:
  Start(ChildPlan& plan, int null, int failures)
      : plan_(plan), arguments_(pointers(plan.arguments)), failures_(failures) {
    if (plan.environment) environment_ = pointers(*plan.environment);
    fds_ = {null, plan.output < 0 ? null : plan.output, plan.errors < 0 ? null : plan.errors};
    fds_.insert(fds_.end(), plan.inherited.begin(), plan.inherited.end());
  }

  /// In the child.
  [[noreturn]] void become_program() {
    reset_signals();
    must(!plan_.is_tied || tie(), "tie it to us");
    must(join_group(), "give it a group");
    must(plan_.directory.empty() || ::chdir(plan_.directory.c_str()) == 0, "enter its folder");
    for (const auto& step : plan_.steps) must(step.take(), step.what);
    must(place_descriptors(), "connect its output");
    execute();
    fail("execute it");
  }

 private:
  [[noreturn]] void fail(const char* step) const {
    const Failure failure{step, errno};
    [[maybe_unused]] const auto written = ::write(failures_, &failure, sizeof failure);
    ::_exit(127);
  }
  void must(bool done, const char* step) const {
    if (!done) fail(step);
  }

  [[nodiscard]] bool tie() const {
    return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent_;  // else it has ended by now
  }

  [[nodiscard]] bool join_group() const {
    if (plan_.group == ChildPlan::Group::kSession) return ::setsid() >= 0;
    return plan_.group == ChildPlan::Group::kOurs || ::setpgid(0, 0) == 0;
  }

  /// Each to its place in fds_. First out of the way, so that no place is still a source.
  bool place_descriptors() {
    const int above = static_cast<int>(fds_.size());
    if ((failures_ = ::fcntl(failures_, F_DUPFD_CLOEXEC, above)) < 0) return false;
    for (int& fd : fds_)
      if ((fd = ::fcntl(fd, F_DUPFD_CLOEXEC, above)) < 0) return false;
    for (int place = 0; place < above; ++place)
      if (::dup2(fds_[static_cast<std::size_t>(place)], place) < 0) return false;
    return ::close_range(static_cast<unsigned>(above), ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  }

  /// execvpe() alone would give a file that is no program to a shell.
  void execute() const {
    auto* const* environment = plan_.environment ? environment_.data() : environ;
    const bool is_path = plan_.arguments[0].find('/') != std::string::npos;
    (is_path ? ::execve : ::execvpe)(arguments_[0], arguments_.data(), environment);
  }

  ChildPlan& plan_;
  std::vector<char*> arguments_, environment_;
  std::vector<int> fds_;  ///< by the number that each will have
  int failures_;
  pid_t parent_ = ::getpid();
};

/// Waits until the program began (the child's end of the pipe closes) or a step before failed.
Status wait_for_begin(const Fd& failures) {
  Failure failure;
  const auto got = read_some(failures.get(), &failure, sizeof failure);
  if (got == 0) return ok();
  if (got != sizeof failure) return system_error("wait for its begin");
  return system_error(failure.step, failure.error);
}

}  // namespace

Result<Child> start_child(ChildPlan plan) {
  const auto what = "start " + plan.arguments.at(0);
  auto failures = KTSTR_TRY(make_pipe(), what);
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return system_error(what + ": open /dev/null");
  Start start(plan, null.get(), failures.write_end.get());
  Child child;
  child.pid = ::fork();
  if (child.pid < 0) return system_error(what);
  if (child.pid == 0) start.become_program();
  failures.write_end.reset();
  auto pidfd = open_pidfd(child.pid);
  auto begun = pidfd ? wait_for_begin(failures.read_end) : Status(pidfd.error());
  if (!begun) {
    ::kill(child.pid, SIGKILL);
    reap(child.pid);
    return std::move(begun.error()).with_context(what);
  }
  child.pidfd = std::move(*pidfd);
  return child;
}

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return system_error(fmt::format("open process {}", pid));
  return fd;
}

int reap(pid_t pid) {
  int status = 0;
  return retry([&] { return ::waitpid(pid, &status, 0); }) < 0 ? -1 : status;
}

}  // namespace ktstr
