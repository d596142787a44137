#include "engine/run/prepare_guest.h"

#include <doctest/doctest.h>

#include "tests/engine/run/fake_guest.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::engine::testing::FakeGuest;

namespace {

const vmm::Topology kTwoByTwo{1, 2, 2, 1};

protocol::FoundTopology as_asked() {
  return {.possible = CpuSet{0, 1, 2, 3},
          .online = CpuSet{0, 1, 2, 3},
          .llcs = std::vector{CpuSet{0, 1}, CpuSet{2, 3}},
          .nodes = std::vector{CpuSet{0, 1, 2, 3}}};
}

std::string verdict(const protocol::FoundTopology& found, const vmm::Topology& asked = kTwoByTwo) {
  const auto status = check_found_topology(asked, found);
  return status ? "ok" : status.error().message;
}

}  // namespace

TEST_CASE("a guest that found what was asked for is fine, and so is one that does not show all of it") {
  CHECK(verdict(as_asked()) == "ok");
  auto found = as_asked();
  found.llcs.reset();
  found.nodes.reset();
  CHECK(verdict(found) == "ok");
}

TEST_CASE("CPUs that are offline are named first") {
  auto found = as_asked();
  found.online = CpuSet{0, 1};
  found.llcs = std::vector{CpuSet{0, 1}};
  CHECK(verdict(found) ==
        "CPUs 2-3 of topology 1n2l2c1t are not online in the guest (online 0-1, possible 0-3)");
}

TEST_CASE("CPUs, caches and nodes of another shape are told") {
  auto found = as_asked();
  found.online = found.possible = CpuSet{0, 1, 2, 3, 4};
  CHECK(verdict(found) == "the guest's kernel found the CPUs 0-4, the topology has 0-3");
  found = as_asked();
  found.llcs = std::vector{CpuSet{0, 1, 2, 3}};
  CHECK(verdict(found) == "the guest's kernel found the LLCs 0-3, the topology has 0-1 2-3");
  found = as_asked();
  found.nodes = std::vector{CpuSet{0, 1}, CpuSet{2, 3}};
  CHECK(verdict(found) == "the guest's kernel found the NUMA nodes 0-1 2-3, the topology has 0-3");
}

TEST_CASE("a node of memory only is one without CPUs") {
  const auto asked = *vmm::Topology::parse("2n2l2c1t nodes=2,0:256M");
  auto found = as_asked();
  CHECK(verdict(found, asked) == "the guest's kernel found the NUMA nodes 0-3, the topology has 0-3 (none)");
  found.nodes->emplace_back();
  CHECK(verdict(found, asked) == "ok");
}

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
