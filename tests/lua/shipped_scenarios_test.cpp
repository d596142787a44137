// The scenarios that come with ktstr.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "engine/scenario/holds.h"
#include "lua/script_host.h"
#include "tests/lua/stand_in.h"

namespace ktstr::lua {
namespace {

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(KTSTR_SCENARIOS))
    if (entry.path().extension() == ".lua") files.push_back(entry.path());
  return files;
}

}  // namespace

TEST_CASE("every shipped scenario checks clean, has its file's name and a description") {
  const test::StandIn scheduler("scx_ktstr");
  for (const auto& file : shipped()) {
    const auto host = ScriptHost::load(file);
    REQUIRE_MESSAGE(host.has_value(), host.error().message);
    CHECK(host->scenario().name == file.stem().string());
    CHECK_FALSE(host->scenario().description.empty());
    CHECK(host->scenario().duration <= Duration(std::chrono::seconds(16)));
  }
}

TEST_CASE("no watchdog ends a shipped scenario's scheduler before the gap that the scenario allows") {
  const test::StandIn scheduler("scx_ktstr");
  std::size_t looked_at = 0;
  for (const auto& file : shipped()) {
    const auto host = ScriptHost::load(file);
    REQUIRE_MESSAGE(host.has_value(), host.error().message);
    const auto& scenario = host->scenario();
    const auto& expect = scenario.expect;
    if (!scenario.scheduler || !expect.max_gap || expect.scheduler_error) continue;
    const auto watchdog = scenario.scheduler->watchdog_timeout.value_or(Duration());
    CHECK_MESSAGE(watchdog >= *expect.max_gap, scenario.name);
    ++looked_at;
  }
  CHECK(looked_at >= 2);
}

TEST_CASE("the promised scenarios are there") {
  std::set<std::string> names;
  for (const auto& file : shipped()) names.insert(file.stem().string());
  for (const auto* name : {"hello",
                           "steady",
                           "steady_llc",
                           "cpuset_apply",
                           "cpuset_clear",
                           "cpuset_resize",
                           "cgroup_add",
                           "cgroup_remove",
                           "affinity_change",
                           "affinity_pinned",
                           "host_contention",
                           "mixed_workloads",
                           "nested_steady",
                           "nested_task_move",
                           "oversubscribed",
                           "replace_under_load",
                           "preloaded_handover",
                           "restart_loop",
                           "stall_detect",
                           "stall_recovery",
                           "scheduler_error",
                           "starvation",
                           "imbalance",
                           "swap_between_versions",
                           "stall_by_write",
                           "counters_across_swap",
                           "slow_node",
                           "wakeups_short_slice",
                           "wakeups_long_slice"})
    CHECK_MESSAGE(names.contains(name), name);
}

TEST_CASE("hello swaps two cpusets half way") {
  const auto host = ScriptHost::load(std::filesystem::path(KTSTR_SCENARIOS) / "hello.lua");
  REQUIRE(host.has_value());
  const auto& scenario = host->scenario();
  CHECK(scenario.topology == vmm::Topology{1, 2, 2, 1});
  const auto times = engine::plan_holds(scenario.steps, scenario.duration);
  REQUIRE(times.has_value());
  REQUIRE(times->size() == 2);
  CHECK((*times)[0].hold == (*times)[1].hold);
  const auto& swap = std::get<engine::SwapCpusetsOp>(scenario.steps[1].ops.at(0));
  CHECK(swap.a == "web");
  CHECK(swap.b == "batch");
}

}  // namespace ktstr::lua
