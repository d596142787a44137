// Ctrl-C and sudden death of the whole program, at every stage of a run.
#include <doctest/doctest.h>

#include "tests/guest/child_process.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr::engine::testing;
using namespace std::chrono_literals;
using ktstr::testing::children_of;
using ktstr::testing::ProcessHandle;
using ktstr::testing::Program;

namespace {

/// Interrupts a run when `stage` begins; checks the exit code and that neither a process nor a file is left.
void interrupt_at(const char* stage) {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const ktstr::test::TemporaryDirectory files;
  Program runner({GUEST_RUNNER}, {{"TMPDIR", files.path()}});
  REQUIRE(runner.wait_line("booting"));
  if (std::string_view(stage) != "booting") REQUIRE(runner.wait_line(stage));
  std::vector<int> emulators;
  while (emulators.empty()) emulators = children_of(runner.pid());
  const ProcessHandle emulator(emulators.front());
  ::kill(runner.pid(), SIGINT);
  CHECK(runner.wait_end() == 130);
  CHECK(emulator.ends_within(0ms));
  CHECK(std::filesystem::is_empty(files.path()));
}

}  // namespace

TEST_CASE("Ctrl-C while booting") {
  interrupt_at("booting");
}
TEST_CASE("Ctrl-C in a step") {
  interrupt_at("step");
}
TEST_CASE("Ctrl-C while collecting reports") {
  interrupt_at("collecting");
}

TEST_CASE("SIGKILL of the program ends its emulator") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  Program runner({GUEST_RUNNER});
  REQUIRE(runner.wait_line("booting"));
  std::vector<int> emulators;
  while (emulators.empty()) emulators = children_of(runner.pid());
  const ProcessHandle emulator(emulators.front());
  ::kill(runner.pid(), SIGKILL);
  CHECK(runner.wait_end() == 128 + SIGKILL);
  CHECK(emulator.ends_within(10s));
}
