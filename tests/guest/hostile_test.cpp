// Schedulers that mean harm to the one who runs them: none of it reaches the report but as text, and none
// passes.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <fstream>
#include <iterator>

#include "engine/report/ktap.h"
#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"
#include "tests/hostile_text.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

RunReport run_hostile(const std::string& mode, const RunOptions& options = {}) {
  auto scenario = small_scenario("hostile");
  scenario.duration = 1s;
  SchedulerDef scheduler;
  scheduler.name = "hostile";
  scheduler.path = HOSTILE_PROGRAM;
  scheduler.args = {mode};
  scenario.scheduler = scheduler;
  auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  const auto text = to_text(*report);
  MESSAGE(text);
  ktstr::testing::check_harmless("\n" + text);
  ktstr::testing::check_harmless(ktap_test(1, *report));
  CHECK(report->verdict == Outcome::kFail);
  CHECK_MESSAGE(parse_json(to_json(*report)), "the report's JSON can't be read");
  return std::move(*report);
}

/// Of this process so far, in bytes.
std::size_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

TEST_CASE("names and output that would control a terminal are shown as text") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("escapes");
  CHECK(report.failures.at(0).message.find("its program ended (exited 3)") != std::string::npos);
}

TEST_CASE("forged answers of the agent end the run as a failure") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("answers");
  CHECK(report.failures.at(0).message.find("forged") != std::string::npos);
}

TEST_CASE("a channel with garbage on it ends the run as a failure") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("garbage");
  CHECK(report.failures.at(0).message.find("guest agent: not a frame: bad magic") != std::string::npos);
}

TEST_CASE("frames that would take all memory, or a parser's stack, end the run as a failure") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto before = peak_memory();
  CHECK(run_hostile("many-values").failures.at(0).message.find("guest agent: JSON, byte ") == 0);
  CHECK(peak_memory() - before < std::size_t{600}
                                     << 20);  // the frame's 64 MB, 8 million values, the guest's pages
  CHECK(run_hostile("large-length").failures.at(0).message ==
        "guest agent: frame of 4294967295 bytes, above the limit of 67108864");
  CHECK(run_hostile("nested").failures.at(0).message ==
        "guest agent: JSON, byte 256: nested deeper than 256");
}

TEST_CASE("a flood on the console and of output is told in a few lines that fit a screen") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("flood");
  CHECK(report.failures.at(0).message.find("its program ended (exited 3)") != std::string::npos);
  REQUIRE(report.console_tail);
  CHECK(report.console_tail->find(std::string(4096, 'C')) != std::string::npos);
  const auto text = to_text(report);
  CHECK(text.find("  | " + std::string(1000, 'C') + "... (") != std::string::npos);
  CHECK(text.size() < 80'000);
}

TEST_CASE("a guest that reboots behind a forged panic has not panicked") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("panic-reboot");
  CHECK(report.failures.at(0).message ==
        "the guest powered off or rebooted by itself, before the run was over");
  CHECK(report.console_tail.value_or("").find("pwned") != std::string::npos);
  CHECK(report.dumps.empty());
  CHECK(report.emulator_faults.empty());
}

TEST_CASE("a panic is told in the kernel's own words, not in those that a program wrote before") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const ktstr::test::TemporaryDirectory directory;
  RunOptions options;
  options.dump_dir = directory.path();
  options.console_log = directory.path() / "console";
  const auto report = run_hostile("panic-crash", options);
  CHECK(report.failures.at(0).message ==
        "the guest's kernel panicked: Kernel panic - not syncing: sysrq triggered crash");
  std::ifstream log(options.console_log, std::ios::binary);
  const std::string console{std::istreambuf_iterator<char>(log), {}};
  CHECK(console.find("not syncing: pwned") < console.find("not syncing: sysrq triggered crash"));
  REQUIRE(report.dumps.size() == 1);
  CHECK(report.dumps[0].cause == "guest_panic");
  CHECK(report.dumps[0].detail == "Kernel panic - not syncing: sysrq triggered crash");
  CHECK(report.emulator_faults.empty());
}

TEST_CASE("a CPU that a program takes offline in mid-run is shown as offline, not as idle") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_hostile("cpu-offline");
  REQUIRE(report.monitor);
  REQUIRE(report.monitor->samples.size() > 5);
  CHECK_FALSE((*report.monitor->samples.begin()).is_offline(1));
  introspect::MonitorSample last;
  for (const auto& sample : report.monitor->samples) last = sample;
  CHECK(last.is_offline(1));
  CHECK_FALSE(last.is_offline(0));
  CHECK(to_text(report).find("\n  cpu1 was offline in ") != std::string::npos);
}
