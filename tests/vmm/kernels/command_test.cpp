#include "vmm/kernels/command.h"

#include <doctest/doctest.h>

#include <filesystem>

using namespace ktstr;
using vmm::Command;
using vmm::run_command;

namespace {

Command shell(std::string script) {
  return {{"sh", "-c", std::move(script)}, ".", {}};
}

}  // namespace

TEST_CASE("a command's output is kept and its lines are told") {
  Command command = shell("echo one; echo two; echo not this >&2");
  std::vector<std::string> lines;
  command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  const auto output = run_command(command);
  REQUIRE(output);
  CHECK(*output == "one\ntwo\n");
  CHECK(lines == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a command runs in the directory, the C locale and without input") {
  Command command = shell("pwd; echo $LC_ALL; cat");
  command.directory = "/";
  CHECK(run_command(command) == std::string("/\nC.UTF-8\n"));
}

TEST_CASE("a failing command's own words are in the error") {
  const auto failed = run_command(shell("echo it broke >&2; exit 3"));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kUnavailable);
  CHECK(failed.error().message == "sh ended with status 3: it broke");
  const auto killed = run_command(shell("kill -9 $$"));
  REQUIRE_FALSE(killed);
  CHECK(killed.error().message == "sh was killed by SIGKILL: it gave no reason");
}

TEST_CASE("a missing program is named") {
  const auto missing = run_command({{"no-such-program-here"}, ".", {}});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kUnavailable);
  CHECK(missing.error().message.find("no-such-program-here") != std::string::npos);
  CHECK(missing.error().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("a stopped command ends at once, its children too") {
  std::stop_source source;
  Command command = shell("echo started; sleep 1000 & wait");
  command.stop = source.get_token();
  command.on_line = [&](std::string_view) { source.request_stop(); };
  const auto stopped = run_command(command);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kCancelled);
}
