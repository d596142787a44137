#include "engine/run/judge.h"

#include <doctest/doctest.h>

#include "engine/verdict/expectations.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;

namespace {

/// Two CPUs whose run queues hold `busy` and one task in every sample.
RunReport watched(std::uint32_t busy, std::uint64_t samples) {
  RunReport report;
  report.limits = limits_in_force({}, false, 2);
  auto& monitor = report.monitor.emplace();
  monitor.preemption_threshold_ns = 40'000'000;
  for (std::uint64_t i = 0; i < samples; ++i) {
    auto sample = introspect::MonitorSample::at(100ms * i);
    sample.cpus.resize(2);
    sample.cpus[0].nr_running = busy;
    sample.cpus[1].nr_running = 1;
    sample.cpus[0].rq_clock = sample.cpus[1].rq_clock = 1'000 + i * 100'000'000;
    monitor.samples.add(sample);
  }
  return report;
}

WorkerGroup healthy_group() {
  protocol::WorkerReport report;
  report.tid = 100;
  report.work_units = 1;
  report.wall_ns = 1'000'000'000;
  report.exit = {"exited", 0};
  return {"web", "cpu_spin", CpuSet{0}, {report}};
}

WorkerGroup starved_group() {
  protocol::WorkerReport report;
  report.tid = 101;
  report.wall_ns = 1'000'000'000;
  report.exit = {"exited", 0};
  return {"web", "cpu_spin", CpuSet{0}, {report}};
}

}  // namespace

TEST_CASE("a run with nothing against it passes") {
  auto report = watched(1, 10);
  report.workers = {healthy_group()};
  judge(report);
  CHECK(report.verdict == Outcome::kPass);
  CHECK_FALSE(report.reason);
  CHECK(report.monitor->summary.total_samples == 10);
}

TEST_CASE("weights that no check goes by are said, where there were workers") {
  Scenario scenario;
  scenario.cgroups["web"] = {};
  auto report = watched(1, 10);
  report.workers = {healthy_group()};
  note_weights(report, scenario);
  CHECK(report.not_judged.empty());
  scenario.cgroups["web"].cpu_weight = 200;
  CgroupDef light;
  light.cpu_weight = 50;
  scenario.steps.emplace_back().ops.push_back(AddCgroupOp{"batch", light});
  note_weights(report, scenario);
  CHECK(report.not_judged ==
        std::vector<std::string>{
            "CPU time by cpu.weight (web 200, batch 50): shares of cgroups are not compared"});
  report = watched(1, 10);
  note_weights(report, scenario);
  CHECK(report.not_judged.empty());
}

TEST_CASE("causes come before workers, workers before samples, hooks last") {
  auto report = watched(9, 10);
  report.failures = {{"guest", "the guest's kernel panicked: Oops", {}, {}}};
  report.workers = {starved_group()};
  judge(report);
  add_failures(report, "check", {"too few maps"});
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.failures.size() == 4);
  CHECK(report.failures[0].check == "guest");
  CHECK(report.failures[1].check == "no_starvation");
  CHECK(report.failures[2].check == "monitor");
  CHECK(
      report.failures[2].message ==
      "monitor: imbalance ratio 9.0 exceeded threshold 4.0 for 10 consecutive samples (ending at sample 9)");
  CHECK(report.failures[3].check == "check");
  CHECK(report.groups.size() == 1);
}

TEST_CASE("a run that could not be watched is inconclusive, with the reason") {
  RunReport report;
  report.monitor_problem = "no kernel found in memory";
  judge(report);
  CHECK(report.verdict == Outcome::kInconclusive);
  CHECK(report.reason == "the run queues could not be watched: no kernel found in memory");
}

TEST_CASE("a run without a single sample is inconclusive") {
  auto report = watched(1, 0);
  report.monitor->first_failure = "the run queue of cpu0 can't be read";
  judge(report);
  CHECK(report.verdict == Outcome::kInconclusive);
  CHECK(report.reason == "the run queues could not be judged: the run queue of cpu0 can't be read");
}

TEST_CASE("a failure counts more than a missing monitor, a reason given before stays") {
  RunReport report;
  report.reason = "the emulator was killed by signal 9";
  report.workers = {starved_group()};
  judge(report);
  CHECK(report.verdict == Outcome::kFail);
  CHECK(report.reason == "the emulator was killed by signal 9");
}

TEST_CASE("a hook turns a pass into a failure") {
  auto report = watched(1, 10);
  judge(report, true);
  add_failures(report, "check", {});
  CHECK(report.verdict == Outcome::kPass);
  add_failures(report, "check", {"not enough work"});
  CHECK(report.verdict == Outcome::kFail);
}

TEST_CASE("the emulation factor is in the limits and told") {
  CHECK(limits_in_force({}, false, 2).emulation_factor == 1);
  const auto emulated = limits_in_force({}, true, 2);
  CHECK(emulated.emulation_factor == kEmulationFactor);
  CHECK(emulated.workers.max_gap == Duration(8s));
  CHECK(emulated.monitor.sustained_samples == 20);
}

TEST_CASE("a run in which nothing was checked is inconclusive, and says so") {
  auto report = watched(1, 10);
  judge(report);
  CHECK(report.verdict == Outcome::kInconclusive);
  CHECK(report.reason == "nothing was checked");

  auto expecting = watched(1, 10);
  expecting.limits = limits_in_force({.monitor = {.max_imbalance_ratio = 3}}, false, 2);
  judge(expecting);
  CHECK(expecting.verdict == Outcome::kPass);

  auto scheduled = watched(1, 10);
  scheduled.schedulers.emplace_back();
  judge(scheduled);
  CHECK(scheduled.verdict == Outcome::kPass);
}

TEST_CASE("a run in which nothing was checked and something failed has failed") {
  auto report = watched(9, 10);
  judge(report);
  CHECK(report.verdict == Outcome::kFail);
}

TEST_CASE("the monitor's thresholds are the scenario's") {
  auto report = watched(9, 10);
  report.limits = limits_in_force({.monitor = {.max_imbalance_ratio = 10}}, false, 2);
  judge(report);
  CHECK(report.verdict == Outcome::kPass);
  auto strict = watched(2, 10);
  strict.limits = limits_in_force({.monitor = {.max_imbalance_ratio = 1.5}}, false, 2);
  judge(strict);
  CHECK(strict.verdict == Outcome::kFail);
  auto patient = watched(9, 10);
  patient.limits = limits_in_force({.monitor = {.sustained_samples = 11}}, false, 2);
  judge(patient);
  CHECK(patient.verdict == Outcome::kPass);
}

TEST_CASE("checks that could not be made are told") {
  auto report = watched(1, 10);
  auto group = healthy_group();
  group.reports.push_back(group.reports[0]);
  group.reports[0].off_cpu_ns = 200'000'000;  // 20 points apart
  report.workers = {group};
  report.limits = limits_in_force({}, true, 2);
  judge(report);
  CHECK(report.verdict == Outcome::kPass);
  CHECK(report.not_judged.size() == 1);
}
