#include "vmm/qemu/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/base/thread.h"

namespace ktstr::vmm::qemu {
namespace {

/// What the child needs between fork and exec, prepared before: only async-signal-safe calls are allowed
/// there.
struct ChildPlan {
  std::vector<char*> argv;
  std::vector<int> inherited;
  int null = -1;
  int error_output = -1;
  int exec_error = -1;
  pid_t parent = -1;
};

/// Moves the inherited descriptors to kFirstInherited and up. First out of the way, so that no target is
/// still a source.
bool place_descriptors(ChildPlan& plan) {
  const int above = Process::kFirstInherited + static_cast<int>(plan.inherited.size());
  plan.exec_error = ::fcntl(plan.exec_error, F_DUPFD_CLOEXEC, above);
  if (plan.exec_error < 0) return false;
  for (int& fd : plan.inherited)
    if ((fd = ::fcntl(fd, F_DUPFD_CLOEXEC, above)) < 0) return false;
  if (::dup2(plan.null, 0) < 0 || ::dup2(plan.null, 1) < 0 || ::dup2(plan.error_output, 2) < 0) return false;
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  int target = Process::kFirstInherited;
  for (const int fd : plan.inherited)
    if (::dup2(fd, target++) < 0) return false;
  return true;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Never returns. An errno on `exec_error` says that exec was not reached.
[[noreturn]] void run_child(ChildPlan& plan) {
  reset_signals();
  ::setsid();
  const bool tied = ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  if (::getppid() != plan.parent) ::_exit(127);  // we ended before the tie was made
  if (tied && place_descriptors(plan)) ::execv(plan.argv[0], plan.argv.data());
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(plan.exec_error, &error, sizeof(error));
  ::_exit(127);
}

struct Pipe {
  Fd read, write;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> c_strings(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Reads to the end, keeping the last `limit` bytes.
std::string read_tail(int fd, std::size_t limit) {
  std::string tail;
  std::array<char, 4096> buffer;
  while (true) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return tail;
    tail.append(buffer.data(), static_cast<std::size_t>(count));
    if (tail.size() > limit) tail.erase(0, tail.size() - limit);
  }
}

}  // namespace

Result<std::unique_ptr<Process>> Process::spawn(std::vector<std::string> argv, std::vector<int> inherited) {
  std::unique_ptr<Process> process(new Process);
  process->exit_event_ = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!process->exit_event_) return system_error("eventfd");
  const auto program = argv.at(0);
  std::promise<int> started;
  auto result = started.get_future();
  auto follow = [&process = *process, argv = std::move(argv), inherited = std::move(inherited),
                 started = std::move(started)]() mutable {
    process.run(argv, inherited, std::move(started));
  };
  process->thread_ = KTSTR_TRY(with_threads(program, [&] { return std::thread(std::move(follow)); }));
  if (const int error = result.get(); error != 0) return system_error("run " + program, error);
  return process;
}

void Process::run(const std::vector<std::string>& argv, const std::vector<int>& inherited,
                  std::promise<int> started) {
  auto errors = make_pipe();
  auto exec = make_pipe();
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!errors || !exec || !null) return started.set_value(errno);
  ChildPlan plan{c_strings(argv), inherited, null.get(), errors->write.get(), exec->write.get(), ::getpid()};
  const pid_t child = ::fork();
  if (child < 0) return started.set_value(errno);
  if (child == 0) run_child(plan);
  errors->write.reset();
  exec->write.reset();
  pid_ = child;
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  int error = pidfd_ ? 0 : errno;
  if (!pidfd_) ::kill(child, SIGKILL);
  [[maybe_unused]] const auto none_when_exec_succeeds = ::read(exec->read.get(), &error, sizeof(error));
  started.set_value(error);
  follow(std::move(errors->read));
}

void Process::follow(Fd error_output) {
  ExitStatus status;
  status.error_output = read_tail(error_output.get(), kErrorOutputLimit);
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
  }
  status.signalled = WIFSIGNALED(raw);
  status.code = status.signalled ? WTERMSIG(raw) : WEXITSTATUS(raw);
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
  ::eventfd_write(exit_event_.get(), 1);
}

std::optional<ExitStatus> Process::exit_status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::optional<int> Process::stop_signal() const {
  siginfo_t change{};
  const auto asked = ::waitid(P_PID, static_cast<id_t>(pid_), &change, WSTOPPED | WCONTINUED | WNOHANG);
  if (asked != 0 || change.si_pid != pid_) return std::nullopt;
  return change.si_status;
}

void Process::kill() {
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

Process::~Process() {
  kill();
  if (thread_.joinable()) thread_.join();
}

}  // namespace ktstr::vmm::qemu
