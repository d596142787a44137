#include "engine/verdict/worker_checks.h"

#include <doctest/doctest.h>

#include "tests/engine/verdict/histogram_of.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;
using ktstr::engine::testing::count_latencies;
using protocol::WorkerReport;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

/// A worker that ran 5 s, half of it on a CPU, and holds every default.
WorkerReport healthy(std::int32_t tid) {
  WorkerReport report;
  report.tid = tid;
  report.cgroup = "web";
  report.work = "cpu_spin";
  report.work_units = 1000;
  report.iterations = 1000;
  report.wall_ns = 5 * kSecond;
  report.cpu_ns = report.off_cpu_ns = 5 * kSecond / 2;
  report.completed = true;
  report.cpus_used = CpuSet{0, 1};
  report.exit = {"exited", 0};
  return report;
}

WorkerGroup web(std::vector<WorkerReport> reports) {
  return {"web", "cpu_spin", CpuSet{0, 1}, std::move(reports)};
}

std::vector<Failure> check(WorkerGroup group, const WorkerLimits& limits = {}) {
  return check_workers(std::span(&group, 1), limits).failures;
}

/// A worker that wanted to run all the time and got this much CPU time, in turns of 10 ms.
WorkerReport eager(std::int32_t tid, std::uint64_t cpu_ms) {
  auto report = healthy(tid);
  report.cpu_ns = cpu_ms * 1'000'000;
  report.off_cpu_ns = report.wall_ns - report.cpu_ns;
  report.schedstat_run_delay_ns = report.off_cpu_ns;
  report.schedstat_run_count = cpu_ms / 10;
  report.schedstat_cpu_time_ns = report.cpu_ns;
  return report;
}

}  // namespace

TEST_CASE("healthy workers hold every default") {
  CHECK(check(web({healthy(101), healthy(102)})).empty());
}

TEST_CASE("a worker without work units fails no_starvation") {
  auto starved = healthy(101);
  starved.work_units = 0;
  const auto failures = check(web({starved}));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "no_starvation");
  CHECK(failures[0].cgroup == "web");
  CHECK(failures[0].tid == 101);
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) did 0 work units in 5.0 s, at least 1 is expected");
  CHECK(check(web({starved}), {.no_starvation = false}).empty());
}

TEST_CASE("a spread above the limit fails, a spread at the limit holds") {
  auto low = healthy(101), high = healthy(102);
  low.off_cpu_ns = kSecond;           // 20 %
  high.off_cpu_ns = kSecond * 7 / 4;  // 35 %
  CHECK(check(web({low, high})).empty());
  high.off_cpu_ns = kSecond * 2;  // 40 %
  const auto failures = check(web({high, low}));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_spread_pct");
  CHECK(failures[0].message ==
        "cgroup web: off-CPU share of cpu_spin workers spreads 20.0 points (tid 101: 20.0 %, tid 102: 40.0 "
        "%), limit 15");
}

TEST_CASE("workers of different groups are not compared") {
  auto busy = healthy(101), sleepy = healthy(102);
  busy.off_cpu_ns = 0;
  sleepy.off_cpu_ns = sleepy.wall_ns;
  const std::vector groups{web({busy}), WorkerGroup{"web", "bursty", CpuSet{0, 1}, {sleepy}}};
  CHECK(check_workers(groups, {}).failures.empty());
}

TEST_CASE("a gap above the limit fails, a gap at the limit holds") {
  auto stuck = healthy(101);
  stuck.longest_gap_ns = 2 * kSecond;
  CHECK(check(web({stuck})).empty());
  stuck.longest_gap_ns = 2 * kSecond + kSecond / 2;
  stuck.longest_gap_cpu = 3;
  stuck.longest_gap_at_ns = kSecond * 6 / 5;
  const auto failures = check(web({stuck}));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_gap");
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) made no progress for 2500 ms on cpu3 (1.2 s after its start), limit "
        "2s");
}

TEST_CASE("isolation is checked on demand only") {
  auto stray = healthy(101);
  stray.cpus_used = CpuSet{1, 2, 3};
  CHECK(check(web({stray})).empty());
  const auto failures = check(web({stray}), {.isolation = true});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "isolation");
  CHECK(failures[0].message == "cgroup web: tid 101 (cpu_spin) ran on CPUs 1-3, allowed are 0-1");
  CHECK(check(web({healthy(101)}), {.isolation = true}).empty());
}

TEST_CASE("throughput variation is over the rates of one group") {
  auto slow = healthy(101), fast = healthy(102);
  slow.work_units = 500;
  fast.work_units = 1500;
  const auto failures = check(web({slow, fast}), {.max_throughput_cv = 0.4});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_throughput_cv");
  CHECK(failures[0].message == "cgroup web: work rates of 2 cpu_spin workers vary by 0.500 (CV), limit 0.4");
  CHECK(check(web({slow, fast}), {.max_throughput_cv = 0.5}).empty());
}

TEST_CASE("the work rate is per second of CPU time") {
  const auto failures = check(web({healthy(101)}), {.min_work_rate = 401});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "min_work_rate");
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) did 400.0 work units per second of CPU time, at least 401 expected");
  CHECK(check(web({healthy(101)}), {.min_work_rate = 400}).empty());
}

TEST_CASE("the iteration rate is per second of wall time") {
  const auto failures = check(web({healthy(101)}), {.min_iteration_rate = 200.5});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "min_iteration_rate");
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) did 200.0 iterations per second, at least 200.5 expected");
  CHECK(check(web({healthy(101)}), {.min_iteration_rate = 200}).empty());
}

TEST_CASE("wake-up latency limits look at each worker") {
  auto late = healthy(101);
  count_latencies(late, {50'000, 50'000, 50'000, 250'000});
  const auto slow = check(web({late, healthy(102)}), {.max_p99_wake_latency = Duration(200us)});
  REQUIRE(slow.size() == 1);
  CHECK(slow[0].check == "max_p99_wake_latency");
  CHECK(slow[0].message ==
        "cgroup web: tid 101 (cpu_spin) has a p99 wake-up latency of 250.0 us over 4 wake-ups, limit 200us");
  CHECK(check(web({late}), {.max_p99_wake_latency = Duration(250us)}).empty());

  const auto uneven = check(web({late}), {.max_wake_latency_cv = 0.5});
  REQUIRE(uneven.size() == 1);
  CHECK(uneven[0].check == "max_wake_latency_cv");
  CHECK(uneven[0].message ==
        "cgroup web: tid 101 (cpu_spin) has wake-up latencies that vary by 0.874 (CV), limit 0.5");
}

TEST_CASE("migrations are counted per iteration") {
  auto restless = healthy(101);
  restless.migrations = 20;
  const auto failures = check(web({restless}), {.max_migration_ratio = 0.01});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_migration_ratio");
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) migrated 20 times in 1000 iterations (0.0200 per iteration), limit "
        "0.01");
  CHECK(check(web({restless}), {.max_migration_ratio = 0.02}).empty());
}

TEST_CASE("a worker that died is judged for that alone") {
  WorkerReport crashed, killed, refused, failed;
  crashed.tid = 101;
  crashed.exit = {"signaled", 11};
  killed.tid = 102;
  killed.exit = {"timed out", {}};
  refused.tid = 103;
  refused.exit = {"exited", 3};
  failed.tid = 104;
  failed.exit = {"wait failed", 10};
  const auto failures = check(web({crashed, killed, refused, failed}));
  REQUIRE(failures.size() == 4);
  CHECK(failures[0].check == "worker_exit");
  CHECK(failures[0].message == "cgroup web: tid 101 (cpu_spin) died of signal 11 (Segmentation fault)");
  CHECK(failures[1].message ==
        "cgroup web: tid 102 (cpu_spin) did not stop within the deadline and was killed");
  CHECK(failures[2].message == "cgroup web: tid 103 (cpu_spin) exited with code 3");
  CHECK(failures[3].message == "cgroup web: tid 104 (cpu_spin) could not be waited for (No child processes)");
}

TEST_CASE("a worker that stays on some of its CPUs is isolated") {
  auto report = healthy(101);
  report.cpus_used = CpuSet{1};
  CHECK(check(web({report}), {.isolation = true}).empty());
}

TEST_CASE("a CPU that the cpuset held at another time is no excuse") {
  auto stray = healthy(101);
  stray.stray_cpus = CpuSet{1};  // held before or after, so it is among those allowed
  CHECK(check(web({stray})).empty());
  const auto failures = check(web({stray}), {.isolation = true});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].message ==
        "cgroup web: tid 101 (cpu_spin) ran on CPUs 1 while its cpuset did not hold them");
}

TEST_CASE("a worker's own words are the cause of its end, and come before what follows from it") {
  auto forker = healthy(101), hungry = healthy(102), starved = healthy(103);
  forker.exit = {"exited", 1};
  forker.failure = "fork: Resource temporarily unavailable (pids.max 4)";
  hungry.exit = {"signaled", 9};
  hungry.failure = "killed by the OOM killer (cgroup limit 64M)";
  starved.work_units = 0;
  const std::vector groups{WorkerGroup{"idle", "cpu_spin", CpuSet{0, 1}, {starved}}, web({forker, hungry})};
  const auto failures = check_workers(groups, {}).failures;
  REQUIRE(failures.size() == 3);
  CHECK(
      failures[0].message ==
      "cgroup web: tid 101 (cpu_spin) ended by itself: fork: Resource temporarily unavailable (pids.max 4)");
  CHECK(failures[1].message ==
        "cgroup web: tid 102 (cpu_spin) was killed by the OOM killer (cgroup limit 64M)");
  CHECK(failures[2].check == "no_starvation");
}

TEST_CASE("workers of different roles or affinities are not compared") {
  auto messenger = eager(101, 4000), receiver = eager(102, 100);
  messenger.role = "messenger";
  receiver.role = "receiver";
  CHECK(check(web({messenger, receiver}), {.max_throughput_cv = 0.1}).empty());
  auto pinned = eager(103, 4000), shared = eager(104, 2000);
  pinned.affinities = {CpuSet{1}};
  shared.affinities = {CpuSet{0}};
  CHECK(check(web({pinned, shared})).empty());
  CHECK(summarize(web({pinned, shared})).spread_pct == std::nullopt);

  auto other = eager(105, 1000);
  other.role = "receiver";
  const auto failures = check(web({messenger, receiver, other}));
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].message ==
        "cgroup web: off-CPU share of cpu_spin workers (receiver) spreads 18.0 points (tid 105: 80.0 %, tid "
        "102: 98.0 %), limit 15");
  CHECK(failures[1].check == "max_unfairness_pct");
}

TEST_CASE("workers that always want to run get CPU time near their mean, however small their share is") {
  std::vector<WorkerReport> crowd;
  for (std::int32_t tid = 101; tid < 117; ++tid) crowd.push_back(eager(tid, 312));
  CHECK(check(web(crowd)).empty());
  crowd[3] = eager(104, 100);  // 2 % of the time instead of 6 %: far below 15 points
  const auto failures = check(web(crowd));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_unfairness_pct");
  CHECK(
      failures[0].message ==
      "cgroup web: tid 104 of the 16 cpu_spin workers got 0.100 s of CPU time, 67 % less than their mean of "
      "0.299 s, limit 50 %");
  CHECK(check(web(crowd), {.max_unfairness_pct = 70}).empty());
}

TEST_CASE("one that gets too much is unfair too, a turn more or less is chance") {
  CHECK(check(web({eager(101, 60), eager(102, 60), eager(103, 60), eager(104, 100)})).empty());
  const auto failures = check(web({eager(101, 60), eager(102, 60), eager(103, 60), eager(104, 300)}));
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].tid == std::nullopt);
  CHECK(failures[0].message.find("tid 104 of the 4 cpu_spin workers got 0.300 s of CPU time, 150 % more") !=
        std::string::npos);
}

TEST_CASE("workers that sleep by choice may differ") {
  auto often = eager(101, 40), seldom = eager(102, 10);
  often.schedstat_run_delay_ns = seldom.schedstat_run_delay_ns = 0;
  CHECK(check(web({often, seldom})).empty());
  auto unknown = eager(103, 10);
  unknown.schedstat_run_delay_ns.reset();
  CHECK(check(web({eager(104, 100), unknown})).empty());
}

TEST_CASE("four equal workers of which two got a third of the others' time are not fair, emulated or not") {
  const auto group = web({eager(101, 1450), eager(102, 3750), eager(103, 3550), eager(104, 1200)});
  for (const auto blur : {Duration{}, Duration(100ms)}) {
    const auto failures = check(group, {.blur = blur});
    REQUIRE_FALSE(failures.empty());
    CHECK(failures[0].check == "max_spread_pct");
  }
}

TEST_CASE("what emulation may have blurred is not judged, and said") {
  const auto group = web({eager(101, 2000), eager(102, 2900)});  // 18 points
  CHECK(check(group).size() == 1);
  const auto findings = check_workers(std::span(&group, 1), {.blur = Duration(300ms)});  // 6 points
  CHECK(findings.failures.empty());
  REQUIRE(findings.not_judged.size() == 1);
  CHECK(findings.not_judged[0] ==
        "max_spread_pct: cgroup web: off-CPU share of cpu_spin workers spreads 18.0 points (tid 102: 42.0 %, "
        "tid "
        "101: 60.0 %), limit 15: emulation blurs 6.0 points");
}

TEST_CASE("a group that nobody reported of has no sums") {
  WorkerGroup group = web({});
  group.started = 4;
  const auto summary = summarize(group);
  CHECK(summary.workers == 4);
  CHECK(summary.reported == 0);
  CHECK_FALSE(summary.work_units);
  CHECK_FALSE(summary.iterations);
  CHECK_FALSE(summary.migrations);
}

TEST_CASE("a group's longest gap is the longest, whoever has it") {
  auto first = healthy(101), second = healthy(102);
  first.longest_gap_ns = 9;
  second.longest_gap_ns = 5;
  CHECK(summarize(web({first, second})).longest_gap_ns == 9);
  CHECK(summarize(web({second, first})).longest_gap_ns == 9);
}

TEST_CASE("a group's summary adds up its workers and leaves out what is unknown") {
  auto first = healthy(101), second = healthy(102);
  first.longest_gap_ns = 5;
  first.migrations = 2;
  second.longest_gap_ns = 9;
  second.migrations = 3;
  second.cpu_ns = kSecond;
  second.off_cpu_ns = 4 * kSecond;
  count_latencies(second, {100, 200});
  const auto summary = summarize(web({first, second}));
  CHECK(summary.workers == 2);
  CHECK(summary.work_units == 2000);
  CHECK(*summary.cpu_pct == doctest::Approx(35));
  CHECK(*summary.spread_pct == doctest::Approx(30));
  CHECK(summary.longest_gap_ns == 9);
  CHECK(summary.migrations == 5);
  CHECK(summary.p99_wake_ns == 200);

  const auto nothing = summarize(web({WorkerReport{}}));
  CHECK_FALSE(nothing.cpu_pct);
  CHECK_FALSE(nothing.spread_pct);
  CHECK_FALSE(nothing.longest_gap_ns);
  CHECK_FALSE(nothing.p99_wake_ns);
}

TEST_CASE("three workers that always want to run can't share two CPUs, and by default need not") {
  const auto group = web({eager(101, 5000), eager(102, 2500), eager(103, 2500)});
  const auto findings = check_workers(std::span(&group, 1), {});
  CHECK(findings.failures.empty());
  REQUIRE(findings.not_judged.size() == 1);
  CHECK(findings.not_judged[0] ==
        "max_spread_pct: cgroup web: off-CPU share of cpu_spin workers spreads 50.0 points (tid 101: 0.0 %, "
        "tid 102: "
        "50.0 %), limit 15: 3 workers can't share 2 CPUs evenly but by changing places");
}

TEST_CASE("a stated spread demands that workers change places") {
  WorkerLimits limits;
  limits.max_spread_stated = true;
  const auto failures = check(web({eager(101, 5000), eager(102, 2500), eager(103, 2500)}), limits);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].check == "max_spread_pct");
}

TEST_CASE("a load that can't be divided excuses no more than its indivisibility") {
  const auto failures = check(web({eager(101, 4900), eager(102, 4500), eager(103, 600)}));
  REQUIRE_FALSE(failures.empty());
  CHECK(failures[0].check == "max_spread_pct");
}

TEST_CASE("a load that can be divided is to be divided") {
  const auto failures = check(web({eager(101, 5000), eager(102, 2500), eager(103, 1250), eager(104, 1250)}));
  REQUIRE_FALSE(failures.empty());
  CHECK(failures[0].check == "max_spread_pct");
}

TEST_CASE("the workers of other groups on the same CPUs are part of the load") {
  const std::vector groups = {web({eager(101, 5000), eager(102, 2500)}),
                              WorkerGroup{"db", "cpu_spin", CpuSet{1}, {eager(201, 2500)}}};
  const auto findings = check_workers(groups, {});
  CHECK(findings.failures.empty());
  CHECK(findings.not_judged.size() == 1);
  const std::vector apart = {groups[0], WorkerGroup{"db", "cpu_spin", CpuSet{2}, {eager(201, 5000)}}};
  CHECK(check_workers(apart, {}).failures.size() == 1);
}
