#include "engine/run/repeat.h"

#include <doctest/doctest.h>

using namespace ktstr;
using namespace ktstr::engine;

namespace {

/// Attempts that end as told, in order.
struct Attempts {
  std::vector<Result<std::optional<EmulatorFault>>> outcomes;
  std::size_t count = 0;

  Result<RunReport> run() {
    RunReport blank;
    blank.scenario = "hello";
    return run_repeating(blank, [this](RunReport& report) {
      CHECK(report.timeline.steps.empty());
      report.timeline.steps.emplace_back();
      return outcomes.at(count++);
    });
  }
};

const std::optional<EmulatorFault> kFine;

}  // namespace

TEST_CASE("a run that the emulator does not spoil is not repeated") {
  Attempts attempts{{kFine}};
  const auto report = attempts.run();
  REQUIRE(report);
  CHECK(attempts.count == 1);
  CHECK(report->emulator_faults.empty());
  CHECK_FALSE(report->reason);
}

TEST_CASE("a spoiled run is repeated from the start, and the report says so") {
  Attempts attempts{{EmulatorFault{"int3 in sched_clock_cpu"}, kFine}};
  const auto report = attempts.run();
  REQUIRE(report);
  CHECK(attempts.count == 2);
  CHECK(report->scenario == "hello");
  CHECK(report->emulator_faults == std::vector<std::string>{"int3 in sched_clock_cpu"});
  CHECK_FALSE(report->reason);
}

TEST_CASE("a run that is spoiled twice is given up, with the reason") {
  Attempts attempts{{EmulatorFault{"first"}, EmulatorFault{"second"}}};
  const auto report = attempts.run();
  REQUIRE(report);
  CHECK(attempts.count == 2);
  CHECK(report->emulator_faults == std::vector<std::string>{"first", "second"});
  CHECK(report->reason == "the emulator failed 2 times: second");
}

TEST_CASE("an error ends the run at once") {
  Attempts attempts{{Error{ErrorCode::kCancelled, "the run was interrupted"}}};
  const auto report = attempts.run();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::kCancelled);
  CHECK(attempts.count == 1);
}

TEST_CASE("arguments of a machine's performance say it again") {
  CHECK(performance_arguments({}).empty());
  CHECK(performance_arguments({.pin_vcpus = true, .prefault = true}) == " --pin --prefault");
  CHECK(performance_arguments({.realtime_priority = 5, .halt_poll = std::chrono::microseconds(200)}) ==
        " --realtime=5 --halt-poll 200us");
  CHECK(performance_arguments({.halt_poll = Duration(0), .huge_pages = true}) ==
        " --halt-poll 0s --hugepages");
}

TEST_CASE("all of it is one argument, and what differs") {
  auto all = vmm::full_performance();
  CHECK(vmm::check_performance(all).has_value());
  CHECK(performance_arguments(all) == " --performance");
  all.realtime_priority = 50;
  CHECK(performance_arguments(all) == " --performance --realtime=50");
}
