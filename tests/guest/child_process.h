// Processes as a test sees them: a program run with its output read line by line, and the children of a
// process.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/base/fd.h"

namespace ktstr::testing {

/// Pids of the processes that any thread of `pid` started and that have not been reaped.
inline std::vector<int> children_of(int pid) {
  std::vector<int> children;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream list(task.path() / "children");
    for (int child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

/// A handle to a process that is not ours: it stays good when the pid is used again.
class ProcessHandle {
 public:
  explicit ProcessHandle(int pid) : fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
    if (!fd_) throw std::runtime_error("no process " + std::to_string(pid));
  }
  /// Whether the process ends in time.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds timeout) const {
    pollfd ready{fd_.get(), POLLIN, 0};
    return ::poll(&ready, 1, static_cast<int>(timeout.count())) == 1;
  }

 private:
  Fd fd_;
};

/// A program of ours with its stdout in a pipe. Killed and reaped in the destructor.
class Program {
 public:
  explicit Program(std::vector<std::string> argv,
                   const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::vector<char*> pointers;
    for (auto& argument : argv) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_.reset(ends[0]);
  }
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] int pid() const { return pid_; }

  /// Reads lines until one is `line`; false when the output ends before.
  [[nodiscard]] bool wait_line(const std::string& line) {
    std::string current;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1;) {
      if (c != '\n') {
        current += c;
        continue;
      }
      if (current == line) return true;
      current.clear();
    }
    return false;
  }

  /// Waits for the end: the exit code, or 128 + signal.
  int wait_end() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  int pid_ = -1;
  Fd output_;
};

}  // namespace ktstr::testing
