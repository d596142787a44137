#include "engine/verdict/worker_checks.h"

#include <doctest/doctest.h>

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;
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
  return check_workers(std::span(&group, 1), limits);
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
  CHECK(check_workers(groups, {}).empty());
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
  late.wake_latencies_ns = {50'000, 50'000, 50'000, 250'000};
  late.wake_latencies_total = 4;
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
        "cgroup web: tid 101 (cpu_spin) has wake-up latencies that vary by 0.866 (CV), limit 0.5");
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

TEST_CASE("a group's summary adds up its workers and leaves out what is unknown") {
  auto first = healthy(101), second = healthy(102);
  first.longest_gap_ns = 5;
  first.migrations = 2;
  second.longest_gap_ns = 9;
  second.migrations = 3;
  second.cpu_ns = kSecond;
  second.off_cpu_ns = 4 * kSecond;
  second.wake_latencies_ns = {100, 200};
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
