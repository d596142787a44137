#include "vmm/qemu/process.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "engine/base/thread.h"

namespace ktstr::vmm::qemu {
namespace {

/// Reads to the end, keeping the last `limit` bytes.
std::string read_tail(int fd, std::size_t limit) {
  std::string tail;
  std::array<char, 4096> buffer;
  while (true) {
    const auto count = read_some(fd, buffer.data(), buffer.size());
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
  std::promise<Status> started;
  auto result = started.get_future();
  auto follow = [&process = *process, argv = std::move(argv), inherited = std::move(inherited),
                 started = std::move(started)]() mutable {
    process.run(std::move(argv), std::move(inherited), std::move(started));
  };
  process->thread_ = KTSTR_TRY(with_threads(program, [&] { return std::thread(std::move(follow)); }));
  KTSTR_TRY(result.get());
  return process;
}

void Process::run(std::vector<std::string> argv, std::vector<int> inherited, std::promise<Status> started) {
  auto errors = make_pipe();
  if (!errors) return started.set_value(std::move(errors.error()));
  auto child = start_child({.arguments = std::move(argv),
                            .group = ChildPlan::Group::kSession,
                            .errors = errors->write_end.get(),
                            .inherited = std::move(inherited)});
  if (!child) return started.set_value(std::move(child.error()));
  errors->write_end.reset();
  child_ = std::move(*child);
  started.set_value(ok());
  follow(std::move(errors->read_end));
}

void Process::follow(Fd error_output) {
  ExitStatus status;
  status.error_output = read_tail(error_output.get(), kErrorOutputLimit);
  const int raw = reap(child_.pid);
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
  const auto asked = ::waitid(P_PID, static_cast<id_t>(child_.pid), &change, WSTOPPED | WCONTINUED | WNOHANG);
  if (asked != 0 || change.si_pid != child_.pid) return std::nullopt;
  return change.si_status;
}

void Process::kill() {
  if (child_.pidfd) ::syscall(SYS_pidfd_send_signal, child_.pidfd.get(), SIGKILL, nullptr, 0);
}

Process::~Process() {
  kill();
  if (thread_.joinable()) thread_.join();
}

}  // namespace ktstr::vmm::qemu
