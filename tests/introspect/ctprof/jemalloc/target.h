// Target: a running program that is hostile to those who look at it (targets/).
#pragma once

#include <doctest/doctest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>

#include "engine/base/fd.h"

namespace ktstr::introspect::ctprof::test {

class Target {
 public:
  explicit Target(const std::string& name) {
    const auto file = std::filesystem::path(KTSTR_TARGETS) / ("target_" + name);
    int out[2];
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    const Fd child_out(out[1]);
    std::FILE* output = ::fdopen(out[0], "r");
    std::string argument = file.filename();
    char* arguments[] = {argument.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
    REQUIRE(::posix_spawn(&pid_, file.c_str(), &actions, nullptr, arguments, environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    char word[16] = {};
    REQUIRE(std::fscanf(output, "%15s", word) == 1);
    word_ = word;
    std::fclose(output);
  }
  ~Target() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// "ready", or that this machine does not let it be what it is.
  [[nodiscard]] const std::string& word() const { return word_; }

 private:
  pid_t pid_ = 0;
  std::string word_;
};

/// A child that has mapped a file as code, and waits to be killed.
class Mapper {
 public:
  explicit Mapper(const std::filesystem::path& file);
  ~Mapper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace ktstr::introspect::ctprof::test
