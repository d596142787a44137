#include "vmm/kvm/seccomp.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/fd.h"
#include "tests/skip.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr auto kVcpu = ConfinedThread::kVcpu, kDevice = ConfinedThread::kDevice;

struct Outcome {
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;
  std::string standard_error;
};

void run_confined(ConfinedThread kind, const std::function<void()>& action) {
  const auto filter = SyscallFilter::create(kind);
  KTSTR_CHECK(filter);
  std::thread([&] {
    filter->confine_this_thread();
    action();
  }).join();
}

/// What becomes of a process of which a confined thread does `action`.
Outcome outcome_of(ConfinedThread kind, const std::function<void()>& action) {
  int ends[2];
  KTSTR_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);  // the test framework's handler is not for here
    run_confined(kind, action);
    ::_exit(0);
  }
  ::close(ends[1]);
  const Fd output(ends[0]);
  Outcome outcome;
  std::array<char, 512> bytes;
  for (ssize_t count = 0; (count = ::read(output.get(), bytes.data(), bytes.size())) > 0;)
    outcome.standard_error.append(bytes.data(), static_cast<std::size_t>(count));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

/// Aborted, with the call's number told.
void check_forbidden(ConfinedThread kind, int call, const std::function<void()>& action) {
  CAPTURE(call);
  const auto outcome = outcome_of(kind, action);
  CHECK(outcome.signal == SIGABRT);
  CHECK(outcome.standard_error.ends_with("made the forbidden system call " + std::to_string(call) + "\n"));
}

void move_bytes() {
  std::array<char, 4> bytes{};
  KTSTR_CHECK(::read(-1, bytes.data(), 1) < 0 && errno == EBADF);
  pollfd nothing{-1, POLLIN, 0};
  KTSTR_CHECK(::poll(&nothing, 1, 1) == 0);
  KTSTR_CHECK(::send(-1, bytes.data(), 1, MSG_NOSIGNAL) < 0 && errno == EBADF);
  KTSTR_CHECK(::eventfd_write(-1, 1) < 0 && errno == EBADF);
  KTSTR_CHECK(::recv(-1, bytes.data(), 1, 0) < 0 && errno == EBADF);
}

void allocate_much() {
  std::vector<std::unique_ptr<std::byte[]>> all;
  for (std::size_t bytes = 16; bytes <= 4 << 20; bytes *= 2)
    for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<std::byte[]>(bytes));
  auto* grown = std::realloc(std::malloc(1 << 20), 8 << 20);
  KTSTR_CHECK(grown);
  std::free(grown);
}

/// What is free at the end of a thread's heap, far more than glibc keeps by itself.
void free_much() {
  std::vector<std::unique_ptr<std::byte[]>> all;
  for (int i = 0; i < 1024; ++i) all.push_back(std::make_unique<std::byte[]>(16 << 10));
}

void catch_exception() {
  try {
    throw std::runtime_error("caught");
  } catch (const std::exception&) {
  }
}

TEST_CASE("a confined thread moves bytes, allocates, throws, tells the time and ends") {
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  for (const auto kind : {kVcpu, kDevice}) {
    const auto outcome = outcome_of(kind, [] {
      move_bytes();
      allocate_much();
      free_much();
      catch_exception();
      static_cast<void>(std::chrono::system_clock::now());
      std::this_thread::yield();
    });
    CHECK(outcome.standard_error == "");
    CHECK(outcome.exit_code == 0);
  }
}

TEST_CASE("a confined thread opens, connects, starts and maps nothing") {
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  char* const none[] = {nullptr};
  for (const auto kind : {kVcpu, kDevice}) {
    check_forbidden(kind, SYS_openat, [] { static_cast<void>(!::open("/dev/null", O_RDONLY)); });
    check_forbidden(kind, SYS_socket, [] { static_cast<void>(!::socket(AF_INET, SOCK_STREAM, 0)); });
    check_forbidden(kind, SYS_execve, [&] { static_cast<void>(!::execve("/bin/true", none, none)); });
    check_forbidden(kind, SYS_clone, [] { static_cast<void>(!::fork()); });
    check_forbidden(kind, SYS_tgkill, [] { ::syscall(SYS_tgkill, 1, 1, 0); });
    check_forbidden(kind, SYS_mmap,
                    [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); });
  }
}

TEST_CASE("only a vCPU's thread has ioctls, and only its own") {
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  CHECK(outcome_of(kVcpu, [] { static_cast<void>(!::ioctl(-1, KVM_RUN, 0)); }).exit_code == 0);
  check_forbidden(kVcpu, SYS_ioctl, [] { static_cast<void>(!::ioctl(-1, KVM_CREATE_VCPU, 0)); });
  check_forbidden(kDevice, SYS_ioctl, [] { static_cast<void>(!::ioctl(-1, KVM_RUN, 0)); });
}

TEST_CASE("what ends a confined thread's process is still told") {
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  const auto thrown = outcome_of(kDevice, [] { throw std::runtime_error("nobody catches this"); });
  CHECK(thrown.signal == SIGABRT);
  CHECK(thrown.standard_error.find("nobody catches this") != std::string::npos);
  const auto checked = outcome_of(kDevice, [] { KTSTR_CHECK(1 + 1 == 3); });
  CHECK(checked.signal == SIGABRT);
  CHECK(checked.standard_error.find("internal check failed: 1 + 1 == 3") != std::string::npos);
}

TEST_CASE("only the confined thread is confined") {
  if (!kThreadsAreConfined) SKIP_TEST("no filters under sanitizers");
  const int before = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  run_confined(kDevice, [] {});
  CHECK(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == before);
  CHECK(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
}

}  // namespace
}  // namespace ktstr::vmm::kvm
