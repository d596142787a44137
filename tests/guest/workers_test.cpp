// What is told of workers in a real guest: why they ended, what they did, what of the machine they had.
#include <doctest/doctest.h>

#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

WorkGroup workers(Work work, std::uint32_t count) {
  WorkGroup group;
  group.work = std::move(work);
  group.workers = count;
  return group;
}

RunReport run(const Scenario& scenario) {
  auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report, report.error().message);
  return std::move(*report);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an op that fails loses nothing of what workers did before") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("typo");
  scenario.duration = 2s;
  scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}},
                    {.ops = {ReadBpfMapOp{"simple.bss", "enqueued", {}}}, .setup = {}, .hold = RestHold{}}};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kFail);
  CHECK(contains(report.failures.at(0).message, "step 2: read_bpf_map simple.bss enqueued"));
  REQUIRE(report.groups.size() == 1);
  CHECK(report.groups[0].reported == 2);
  CHECK(report.groups[0].work_units.value_or(0) > 0);
  CHECK(report.groups[0].cpu_pct.value_or(0) > 10);
}

TEST_CASE("the processes of each cgroup are where the ops before have left them") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("procs");
  scenario.duration = 1s;
  scenario.cgroups["idle"];
  scenario.steps = {
      {.ops = {CaptureCgroupProcsOp{"before"}, MoveAllTasksOp{"web", "idle"}, CaptureCgroupProcsOp{"after"}},
       .setup = {},
       .hold = RestHold{}}};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.timeline.cgroup_procs.size() == 2);
  const auto &before = report.timeline.cgroup_procs[0], &after = report.timeline.cgroup_procs[1];
  std::vector<std::int32_t> tids;
  for (const auto& worker : report.workers.at(0).reports) tids.push_back(worker.tid);
  std::ranges::sort(tids);
  CHECK(before.tag == "before");
  CHECK(before.step == 1);
  CHECK(before.elapsed_ns <= after.elapsed_ns);
  CHECK(before.cgroups == std::map<std::string, std::vector<std::int32_t>>{{"idle", {}}, {"web", tids}});
  CHECK(after.cgroups == std::map<std::string, std::vector<std::int32_t>>{{"idle", tids}, {"web", {}}});
  CHECK(contains(to_text(report), "processes at \"before\": idle 0, web 2"));
}

TEST_CASE("a worker that the OOM killer took, or that may not fork, says so in the first line") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("limits");
  scenario.duration = 3s;
  scenario.cgroups.clear();
  auto& hungry = scenario.cgroups["hungry"];
  hungry.memory_max = ByteSize{32 << 20};
  hungry.works = {workers(CachePressure{ByteSize{100 << 20}, 64}, 1)};
  auto& forky = scenario.cgroups["outer/forky"];
  scenario.cgroups["outer"].pids_max = 2;
  forky.works = {workers(ForkExit{}, 2)};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.failures.size() >= 2);
  CHECK(contains(report.failures[0].message,
                 "(cache_pressure) was killed by the OOM killer (cgroup limit 32M)"));
  CHECK(contains(report.failures[1].message,
                 "ended by itself: fork: Resource temporarily unavailable (pids.max 2 of cgroup outer)"));
}

TEST_CASE("CPUs that are offline end the run before it begins") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("offline");
  scenario.topology = {1, 2, 2, 1};
  scenario.kernel_args = {"maxcpus=2"};
  scenario.cgroups = {{"a", cgroup_of(LlcCpuset{1}, {spinners(2)})}};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kFail);
  CHECK(report.failures.at(0).message ==
        "set-up: CPUs 2-3 of topology 1n2l2c1t are not online in the guest (online 0-1, possible 0-3)");
  REQUIRE(report.machine.found);
  CHECK(report.machine.found->online == CpuSet{0, 1});
  CHECK(report.workers.empty());
}

TEST_CASE("a cpuset all of whose CPUs are offline is refused, not made its parent's") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  auto guest = boot(*kernel, {1, 1, 3, 1}, {}, {"maxcpus=2"});
  REQUIRE_MESSAGE(guest, guest.error().message);
  protocol::AddCgroup request;
  request.cgroup = "all";
  request.cpus = CpuSet{2};
  const auto refused = guest->agent->ask(request);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().message,
                 "no CPU of the cpuset 2 of cgroup \"all\" can be used: they are offline"));
  request.cgroup = "some";
  request.cpus = CpuSet{1, 2};
  const auto made = guest->agent->ask(request);
  CHECK_MESSAGE(made, made.error().message);
  const auto resized = guest->agent->ask(protocol::SetCpuset{"some", CpuSet{2}});
  REQUIRE_FALSE(resized);
  CHECK(contains(resized.error().message, "no CPU of the cpuset 2 of cgroup \"some\" can be used"));
}

TEST_CASE(
    "a fan-out's messenger is not compared with its receivers, and the topology found is the one asked for") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("fan-out");
  scenario.topology = {1, 2, 2, 1};
  scenario.duration = 3s;
  scenario.cgroups = {{"s", cgroup_of({}, {workers(FutexFanOut{8, 1024}, 9)})}};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.machine.found);
  CHECK(report.machine.found->online == CpuSet::range(0, 4));
  CHECK(*report.machine.found->llcs == std::vector{CpuSet{0, 1}, CpuSet{2, 3}});
  CHECK(report.machine.found->nodes->size() == 1);
}

TEST_CASE("hundreds of workers in many cgroups report in order, and little memory is raised to what boots") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("crowd");
  scenario.duration = 2s;
  scenario.memory = ByteSize{64 << 20};
  scenario.expect = {.no_starvation = false, .max_spread_pct = 100, .max_gap = Duration(60s)};
  scenario.cgroups.clear();
  for (int i = 0; i < 10; ++i)
    scenario.cgroups["g" + std::to_string(i)] = cgroup_of({}, {workers(Bursty{1ms, 2s}, 80)});
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kPass);
  CHECK(report.machine.memory_bytes == 256ULL << 20);
  CHECK(report.machine.memory_asked_bytes == 64ULL << 20);
  for (const auto& group : report.groups) CHECK(group.reported == 80);
}

TEST_CASE("workers that the guest's memory has no room for are the cause of the failure, with both numbers") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("too many");
  scenario.memory = ByteSize{256 << 20};
  scenario.cgroups = {{"a", cgroup_of({}, {workers(Bursty{1ms, 2s}, 2)})},
                      {"b", cgroup_of({}, {workers(Bursty{1ms, 2s}, 2'400)})}};
  const auto report = run(scenario);
  INFO(to_text(report));
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE_FALSE(report.failures.empty());
  const auto& cause = report.failures[0].message;
  CHECK(contains(cause, "b: out of memory: 2400 more workers need about 234 MB, the guest has "));
  CHECK(contains(cause, " MB left"));
  REQUIRE(report.groups.size() == 1);
  CHECK(report.groups[0].reported == 2);
}

TEST_CASE("a run in which nothing was checked is inconclusive") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("nothing");
  scenario.cgroups.clear();
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kInconclusive);
  CHECK(report.reason == "nothing was checked");
}
