#include "engine/run/workload.h"

#include <doctest/doctest.h>

#include "tests/engine/run/fake_guest.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::engine::testing::FakeGuest;

namespace {

/// Four CPUs, of which 0-2 are usable: disjoint(0, 3) is CPU 0, disjoint(1, 3) CPU 1.
struct Bench {
  FakeGuest guest;
  Workload load{guest, vmm::Topology{1, 1, 4, 1}, 7};
};

CgroupDef with_workers(std::optional<CpusetSpec> cpuset, std::uint32_t workers) {
  CgroupDef def;
  def.cpuset = std::move(cpuset);
  def.works.emplace_back();
  def.works[0].workers = workers;
  return def;
}

}  // namespace

TEST_CASE("a cgroup is made with its resolved cpuset, then gets its workers") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers(DisjointCpuset{1, 3}, 3)));
  CHECK(bench.guest.last<protocol::AddCgroup>().cpus == CpuSet{1});
  CHECK(bench.guest.last<protocol::SpawnWorkers>().affinities.size() == 3);
  CHECK(bench.load.cgroup_count() == 1);
  CHECK(bench.load.worker_count() == 3);
  REQUIRE(bench.load.groups().size() == 1);
  CHECK(bench.load.groups()[0].cgroup == "web");
  CHECK(bench.load.groups()[0].work == "cpu_spin");
  CHECK(bench.load.groups()[0].allowed == CpuSet{1});
}

TEST_CASE("a group may have used every CPU that its cpuset ever held") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers(DisjointCpuset{0, 3}, 1)));
  REQUIRE(bench.load.add_cgroup("batch", with_workers(DisjointCpuset{1, 3}, 1)));
  REQUIRE(bench.load.apply(SwapCpusetsOp{"web", "batch"}));
  CHECK(bench.load.groups()[0].allowed == CpuSet{0, 1});
  CHECK(bench.load.groups()[1].allowed == CpuSet{0, 1});
  REQUIRE(bench.load.apply(ClearCpusetOp{"web"}));
  CHECK_FALSE(bench.guest.last<protocol::SetCpuset>().cpus);
  CHECK(bench.load.groups()[0].allowed == CpuSet{0, 1, 2, 3});
  CHECK(bench.load.groups()[1].allowed == CpuSet{0, 1});
}

TEST_CASE("a cpuset that changes after a group ended does not widen what it was allowed") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers(DisjointCpuset{0, 3}, 1)));
  REQUIRE(bench.load.apply(StopCgroupOp{"web"}));
  REQUIRE(bench.load.apply(ClearCpusetOp{"web"}));
  CHECK(bench.load.groups()[0].allowed == CpuSet{0});
}

TEST_CASE("a nested cgroup stays within its ancestors") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("outer", with_workers(DisjointCpuset{0, 3}, 1)));
  REQUIRE(bench.load.add_cgroup("outer/inner", with_workers({}, 1)));
  REQUIRE(bench.load.add_cgroup("outermost", with_workers({}, 1)));
  CHECK(bench.load.groups()[1].allowed == CpuSet{0});
  CHECK(bench.load.groups()[2].allowed == CpuSet{0, 1, 2, 3});
  REQUIRE(bench.load.apply(RemoveCgroupOp{"outer"}));
  CHECK(bench.load.cgroup_count() == 1);
}

TEST_CASE("moved workers belong to their new cgroup") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers(DisjointCpuset{0, 3}, 2)));
  REQUIRE(bench.load.add_cgroup("batch", with_workers(DisjointCpuset{1, 3}, 1)));
  REQUIRE(bench.load.apply(MoveAllTasksOp{"web", "batch"}));
  CHECK(bench.load.groups()[0].allowed == CpuSet{0, 1});
  REQUIRE(bench.load.apply(SetAffinityOp{"batch", SingleCpuAffinity{}}));
  CHECK(bench.guest.last<protocol::SetAffinity>().affinities == std::vector<CpuSet>(3, CpuSet{1}));
}

TEST_CASE("reports find the group that started the worker") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers({}, 2)));
  REQUIRE(bench.load.apply(SpawnOp{"web", with_workers({}, 1).works[0]}));
  REQUIRE(bench.load.apply(SpawnHostOp{with_workers({}, 1).works[0]}));
  REQUIRE(bench.load.stop_all());
  CHECK(bench.load.worker_count() == 0);
  REQUIRE(bench.load.groups().size() == 3);
  CHECK(bench.load.groups()[0].reports.size() == 2);
  CHECK(bench.load.groups()[1].reports.size() == 1);
  CHECK(bench.load.groups()[2].cgroup == "(host)");
  CHECK(bench.load.groups()[2].reports.size() == 1);
}

TEST_CASE("equal seeds choose equal random affinities, spawn by spawn") {
  const auto chosen = [](std::uint64_t seed) {
    FakeGuest guest;
    Workload load(guest, vmm::Topology{1, 1, 64, 1}, seed);
    auto work = with_workers({}, 4).works[0];
    work.affinity = RandomSubsetAffinity{{}, 8};
    REQUIRE(load.apply(SpawnHostOp{work}));
    const auto first = guest.last<protocol::SpawnWorkers>().affinities;
    REQUIRE(load.apply(SpawnHostOp{work}));
    CHECK(guest.last<protocol::SpawnWorkers>().affinities != first);
    return first;
  };
  CHECK(chosen(7) == chosen(7));
  CHECK(chosen(7) != chosen(8));
}

TEST_CASE("a failed op leaves the account as it was") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers(DisjointCpuset{0, 3}, 1)));
  bench.guest.before_answer = [](const auto&) -> Status {
    return Error{ErrorCode::kInvalidArgument, "busy"};
  };
  CHECK_FALSE(bench.load.apply(ClearCpusetOp{"web"}));
  CHECK_FALSE(bench.load.apply(RemoveCgroupOp{"web"}));
  CHECK(bench.load.groups()[0].allowed == CpuSet{0});
  CHECK(bench.load.cgroup_count() == 1);
  CHECK(bench.load.worker_count() == 1);
}

TEST_CASE("groups know how many workers they had, reported or not") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers({}, 3)));
  CHECK(bench.load.groups()[0].started == 3);
  bench.guest.before_answer = [](const auto&) -> Status {
    return Error{ErrorCode::kGuestFailed, "the agent is gone"};
  };
  CHECK_FALSE(bench.load.stop_all());
  CHECK(bench.load.groups()[0].reports.empty());
  CHECK(bench.load.groups()[0].started == 3);
}

TEST_CASE("a cgroup that is gone already ends without a request") {
  Bench bench;
  REQUIRE(bench.load.add_cgroup("web", with_workers({}, 1)));
  REQUIRE(bench.load.end_cgroup("web"));
  CHECK(bench.load.worker_count() == 0);
  CHECK(bench.load.groups()[0].reports.size() == 1);
  const auto requests = bench.guest.requests.size();
  REQUIRE(bench.load.end_cgroup("web"));
  CHECK(bench.guest.requests.size() == requests);
}
