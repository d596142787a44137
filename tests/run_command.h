// run_command: a shell command with what it prints.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace ktstr::test {

struct CommandOutcome {
  int code;
  std::string output;  ///< standard output and error, in order
};

inline CommandOutcome run_command(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  CommandOutcome outcome{};
  std::array<char, 4096> block{};
  while (const auto size = std::fread(block.data(), 1, block.size(), pipe))
    outcome.output.append(block.data(), size);
  outcome.code = WEXITSTATUS(::pclose(pipe));
  return outcome;
}

}  // namespace ktstr::test
