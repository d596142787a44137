// Schedulers that mean harm to the one who runs them: none of it reaches the report but as text, and none
// passes.
#include <doctest/doctest.h>

#include "engine/report/ktap.h"
#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"
#include "tests/hostile_text.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

RunReport run_hostile(const std::string& mode) {
  auto scenario = small_scenario("hostile");
  scenario.duration = 1s;
  SchedulerDef scheduler;
  scheduler.name = "hostile";
  scheduler.path = HOSTILE_PROGRAM;
  scheduler.args = {mode};
  scenario.scheduler = scheduler;
  auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  const auto text = to_text(*report);
  MESSAGE(text);
  ktstr::testing::check_harmless("\n" + text);
  ktstr::testing::check_harmless(ktap_test(1, *report));
  CHECK(report->verdict == Outcome::kFail);
  CHECK_MESSAGE(parse_json(to_json(*report)), "the report's JSON can't be read");
  return std::move(*report);
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
