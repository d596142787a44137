#include "vmm/qemu/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace ktstr::vmm::qemu {
namespace {

ExitStatus wait_for_exit(const Process& process) {
  pollfd ready{process.exit_fd(), POLLIN, 0};
  REQUIRE(::poll(&ready, 1, 10'000) == 1);
  return *process.exit_status();
}

struct Pipe {
  Fd read, write;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 256> buffer;
  for (ssize_t count = 0; (count = ::read(fd, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(count));
  return text;
}

/// Whether `pipe`'s last writer goes within 10 s.
bool writers_end(const Pipe& pipe) {
  pollfd ready{pipe.read.get(), POLLIN, 0};
  char byte = 0;
  return ::poll(&ready, 1, 10'000) == 1 && ::read(pipe.read.get(), &byte, 1) == 0;
}

}  // namespace

TEST_CASE("a child's exit code and the end of its stderr are kept") {
  const auto process = Process::spawn({"/bin/sh", "-c", "echo no such thing >&2; exit 3"}, {});
  const auto status = wait_for_exit(**process);
  CHECK_FALSE(status.signalled);
  CHECK(status.code == 3);
  CHECK(status.error_output == "no such thing\n");
}

TEST_CASE("a child that was stopped is told once, even when it goes on by now") {
  const auto process = Process::spawn({"/bin/sleep", "100"}, {});
  REQUIRE(process.has_value());
  CHECK_FALSE((*process)->stop_signal().has_value());
  const auto id = static_cast<id_t>((*process)->pid());
  siginfo_t change{};
  ::kill((*process)->pid(), SIGSTOP);
  REQUIRE(::waitid(P_PID, id, &change, WSTOPPED | WNOWAIT) == 0);
  CHECK((*process)->stop_signal() == SIGSTOP);
  CHECK_FALSE((*process)->stop_signal().has_value());
  ::kill((*process)->pid(), SIGCONT);
  REQUIRE(::waitid(P_PID, id, &change, WCONTINUED | WNOWAIT) == 0);
  CHECK((*process)->stop_signal() == SIGCONT);
}

TEST_CASE("a talkative child's stderr is kept within bounds") {
  const auto process = Process::spawn({"/bin/sh", "-c", "yes | head -c 100000 >&2; echo last >&2"}, {});
  const auto status = wait_for_exit(**process);
  CHECK(status.error_output.size() == Process::kErrorOutputLimit);
  CHECK(status.error_output.ends_with("last\n"));
}

TEST_CASE("a program that is not there is an error") {
  const auto process = Process::spawn({"/nonexistent/qemu"}, {});
  CHECK(process.error().code == ErrorCode::kNotFound);
  CHECK(process.error().message.find("/nonexistent/qemu") != std::string::npos);
}

TEST_CASE("inherited descriptors are numbered in order, whatever their numbers were, and no other is there") {
  Pipe first, second;
  const auto process = Process::spawn(
      {"/bin/sh", "-c", "echo one >&3; echo two >&4; [ -e /proc/self/fd/5 ] || echo alone >&3"},
      {second.write.get(), first.write.get()});
  static_cast<void>(wait_for_exit(**process));
  second.write.reset();
  first.write.reset();
  CHECK(read_all(second.read.get()) == "one\nalone\n");
  CHECK(read_all(first.read.get()) == "two\n");
}

TEST_CASE("destroying a process ends its child") {
  Pipe life;
  {
    const auto process = Process::spawn({"/bin/sleep", "1000"}, {life.write.get()});
    REQUIRE(process.has_value());
    life.write.reset();
  }
  CHECK(writers_end(life));
}

TEST_CASE("a killed child is told as such") {
  const auto process = Process::spawn({"/bin/sleep", "1000"}, {});
  (*process)->kill();
  const auto status = wait_for_exit(**process);
  CHECK(status.signalled);
  CHECK(status.code == SIGKILL);
}

TEST_CASE("SIGKILL of the parent ends the child") {
  Pipe life, ready;
  const auto parent = ::fork();
  if (parent == 0) {
    const auto process = Process::spawn({"/bin/sleep", "1000"}, {life.write.get()});
    static_cast<void>(::write(ready.write.get(), "r", 1));
    ::pause();
    ::_exit(1);
  }
  life.write.reset();
  char byte = 0;
  REQUIRE(::read(ready.read.get(), &byte, 1) == 1);
  ::kill(parent, SIGKILL);
  CHECK(::waitpid(parent, nullptr, 0) == parent);
  CHECK(writers_end(life));
}

TEST_CASE("a child outlives the thread that asked for it") {
  Pipe answer;
  std::unique_ptr<Process> process;
  Pipe question;
  std::thread([&] {
    process = std::move(*Process::spawn({"/bin/sh", "-c", "read line <&3; echo heard $line >&4"},
                                        {question.read.get(), answer.write.get()}));
  }).join();
  REQUIRE(::write(question.write.get(), "you\n", 4) == 4);
  CHECK_FALSE(wait_for_exit(*process).signalled);
  answer.write.reset();
  CHECK(read_all(answer.read.get()) == "heard you\n");
}

}  // namespace ktstr::vmm::qemu
