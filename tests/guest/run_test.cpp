// Whole runs on a real kernel.
#include <doctest/doctest.h>

#include <future>

#include "engine/report/json.h"
#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

/// Two cgroups on an LLC each, which are swapped halfway.
Scenario hello() {
  auto scenario = small_scenario("hello");
  scenario.topology = {1, 2, 2, 1};
  scenario.duration = 3s;
  scenario.cgroups = {{"web", cgroup_of(LlcCpuset{0}, {spinners(2)})},
                      {"batch", cgroup_of(LlcCpuset{1}, {spinners(1)})}};
  scenario.steps = {{.ops = {}, .setup = {}, .hold = FractionHold{0.5}},
                    {.ops = {SwapCpusetsOp{"web", "batch"}}, .setup = {}, .hold = RestHold{}}};
  return scenario;
}

}  // namespace

TEST_CASE("hello passes, and its report tells what happened") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto report = run_scenario(hello(), {.script = "scenarios/hello.lua"});
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kPass);
  CHECK(report->failures.empty());
  CHECK(report->kernel.release == report->kernel.version);
  CHECK(report->replay == "ktstr run scenarios/hello.lua --kernel " + report->kernel.version + " --seed 1");

  REQUIRE(report->workers.size() == 2);
  CHECK(report->workers[0].cgroup == "batch");
  CHECK(report->workers[0].reports.size() == 1);
  CHECK(report->workers[1].reports.size() == 2);
  CHECK(report->workers[1].allowed == CpuSet{0, 1, 2});
  CHECK(report->groups[1].work_units > 0);

  const auto& events = report->timeline.events;
  REQUIRE(events.size() == 3);
  CHECK(events[1].workers == 3);
  CHECK(events[2].op == "swap_cpusets");
  CHECK(events[2].step == 2);
  REQUIRE(report->timeline.steps.size() == 2);
  CHECK(*report->timeline.steps[0].end_ns - *report->timeline.steps[0].hold_start_ns >= 1'500'000'000);
  CHECK(events[2].offset_ns >= *report->timeline.steps[0].end_ns);

  REQUIRE(report->monitor);
  std::vector<introspect::MonitorSample> samples;
  for (const auto& sample : report->monitor->samples) samples.push_back(sample);
  CHECK(samples.size() + report->sampling.missed_periods >= 25);
  CHECK(report->monitor->failed_samples == 0);
  CHECK(samples.front().cpus.size() == 4);
  CHECK(samples.front().elapsed_ns >= *report->timings.boot_ns);
  const auto& times = report->timings;
  CHECK(*times.prepare_ns + samples.back().elapsed_ns + *times.collect_ns + *times.shutdown_ns <=
        times.total_ns);
  REQUIRE(samples.front().cpus[0].sched_domains);
  CHECK_FALSE(samples.front().cpus[0].sched_domains->empty());
  CHECK(report->monitor->summary.schedstat_deltas);

  CHECK(report->timings.hold_ns >= 3'000'000'000);
  CHECK(report->timings.own_ns + *report->timings.boot_ns + report->timings.hold_ns ==
        report->timings.total_ns);
  MESSAGE("own part: " << report->timings.own_ns / 1'000'000 << " ms");

  const auto full = write_json_file(*report, "/dev/full");
  REQUIRE_FALSE(full);
  CHECK(full.error().message.starts_with("JSON report /dev/full: write "));
  CHECK(full.error().message.ends_with(" bytes: No space left on device"));
}

TEST_CASE("two runs at once do not disturb each other") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const auto run = [](const char* name) { return run_scenario(small_scenario(name), {}); };
  auto other = std::async(std::launch::async, run, "second");
  const auto first = run("first");
  const auto second = other.get();
  REQUIRE_MESSAGE(first, first.error().message);
  REQUIRE_MESSAGE(second, second.error().message);
  CHECK(first->verdict == Outcome::kPass);
  CHECK(second->verdict == Outcome::kPass);
  CHECK(first->scenario == "first");
  CHECK(second->scenario == "second");
}

TEST_CASE("a policy that the kernel lacks skips the run without a boot") {
  const auto plain = kernel_without_sched_ext();
  if (!plain) SKIP_TEST("no kernel without sched_ext is cached");
  auto scenario = small_scenario("ext");
  scenario.cgroups["web"].works[0].policy = ExtPolicy{};
  const auto report = run_scenario(scenario, {.kernel = *plain});
  REQUIRE(report);
  CHECK(report->verdict == Outcome::kSkip);
  CHECK(report->reason == "the scenario uses the policy ext, and kernel " + *plain + " has no sched_ext");
  CHECK_FALSE(report->machine.backend);
}
