#include "engine/run/statistics.h"

#include <doctest/doctest.h>

#include "tests/engine/run/fake_guest.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::engine::testing::FakeGuest;

TEST_CASE("statistics are asked for, and what was found is reported") {
  FakeGuest guest;
  guest.switches = {.bpf_programs = true, .schedstats = std::nullopt};
  StatisticsReport report;
  REQUIRE(set_statistics(guest, true, report));
  CHECK(guest.last<protocol::SetStatistics>().on);
  CHECK(report.asked);
  CHECK(report.bpf_programs == true);
  CHECK_FALSE(report.schedstats.has_value());
  CHECK_FALSE(report.problem.has_value());
}

TEST_CASE("a scenario without statistics leaves the switches and still reports them") {
  FakeGuest guest;
  guest.switches = {.bpf_programs = false, .schedstats = false};
  StatisticsReport report;
  REQUIRE(set_statistics(guest, false, report));
  CHECK_FALSE(guest.last<protocol::SetStatistics>().on);
  CHECK_FALSE(report.asked);
  CHECK(report.bpf_programs == false);
}

TEST_CASE("a kernel that refuses costs the statistics, a lost agent the run") {
  FakeGuest guest;
  guest.before_answer = [](const auto&) -> Status { return Error{ErrorCode::kIo, "write: refused"}; };
  StatisticsReport report;
  REQUIRE(set_statistics(guest, true, report));
  CHECK(report.problem == "write: refused");
  CHECK_FALSE(report.bpf_programs.has_value());
  guest.before_answer = [](const auto&) -> Status { return Error{ErrorCode::kCancelled, "the end"}; };
  CHECK(set_statistics(guest, true, report).error().code == ErrorCode::kCancelled);
}
