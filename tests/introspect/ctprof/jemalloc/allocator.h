// Allocator: a running program that allocates known amounts (allocator.c), linked to jemalloc in one of
// several ways.
#pragma once

#include <doctest/doctest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "tests/skip.h"

#define NEEDS_ALLOCATORS()                        \
  if (std::string_view(KTSTR_ALLOCATORS).empty()) \
  SKIP_TEST("jemalloc's source was not fetched (./bootstrap test does): no programs to look at")

namespace ktstr::introspect::ctprof::test {

/// What the program itself was told by its jemalloc.
struct Told {
  int tid = 0;
  unsigned long long allocated = 0, deallocated = 0;
};

class Allocator {
 public:
  Allocator(const std::filesystem::path& program, int threads, const std::string& mode) {
    int in[2], out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    input_ = Fd(in[1]);
    const Fd child_in(in[0]), child_out(out[1]);
    output_ = ::fdopen(out[0], "r");
    spawn(program, std::to_string(threads), mode, child_in.get(), child_out.get());
    read_until_ready();
  }
  ~Allocator() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::fclose(output_);
  }
  Allocator(const Allocator&) = delete;
  Allocator& operator=(const Allocator&) = delete;

  static std::filesystem::path program(const std::string& linked) {
    return std::filesystem::path(KTSTR_ALLOCATORS) / ("allocator_" + linked);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// In the order of the threads' numbers; empty for one that churns.
  [[nodiscard]] const std::vector<Told>& told() const { return told_; }

  /// Lets it end by itself: the number of signals that it got. It must exit with 0.
  int end() {
    input_.reset();
    int signals = -1;
    CHECK(std::fscanf(output_, " signals %d", &signals) == 1);
    int status = 0;
    CHECK(::waitpid(std::exchange(pid_, 0), &status, 0) > 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    return signals;
  }

 private:
  void spawn(const std::filesystem::path& file, std::string threads, std::string mode, int in, int out) {
    std::string name = file.filename();
    char* arguments[] = {name.data(), threads.data(), mode.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    const int error = ::posix_spawn(&pid_, file.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    INFO(file.string());
    REQUIRE(error == 0);
  }
  void read_until_ready() {
    for (Told line; std::fscanf(output_, "%d %llu %llu", &line.tid, &line.allocated, &line.deallocated) == 3;)
      told_.push_back(line);
    char word[6] = {};
    REQUIRE(std::fscanf(output_, "%5s", word) == 1);
    REQUIRE(std::string(word) == "ready");
  }

  pid_t pid_ = 0;
  Fd input_;
  std::FILE* output_ = nullptr;
  std::vector<Told> told_;
};

}  // namespace ktstr::introspect::ctprof::test
