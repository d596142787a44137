// Each work type on this host: it starts, gets on, stops in time, and its numbers fit together.
#include <algorithm>

#include "tests/engine/agent/host_fixture.h"

namespace ktstr::engine {
namespace {

using protocol::WorkerReport;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
/// CPU time is counted in other places than wall time.
constexpr std::uint64_t kClockSlackNs = 20'000'000;

bool waits_for_wakeups(const Work& work) {
  return std::holds_alternative<IoSync>(work) || std::holds_alternative<Bursty>(work) ||
         std::holds_alternative<PipeIo>(work) || std::holds_alternative<FutexPingPong>(work) ||
         std::holds_alternative<CachePipe>(work);
}

void check_report(const WorkerReport& report) {
  INFO(report.work, " tid ", report.tid);
  CHECK(report.completed);
  CHECK(report.exit.how == "exited");
  CHECK(report.exit.code == 0);
  CHECK(report.work_units > 0);
  CHECK(report.iterations > 0);
  CHECK(report.wall_ns > 0);
  CHECK(report.cpu_ns > 0);
  CHECK(report.cpu_ns <= report.wall_ns + kClockSlackNs);
  CHECK(report.longest_gap_ns <= report.wall_ns);
  CHECK(report.longest_gap_at_ns <= report.wall_ns);
  CHECK_FALSE(report.cpus_used.empty());
  CHECK(report.migration_cpus.size() ==
        std::min<std::uint64_t>(report.migrations, protocol::kMaxMigrationCpus));
  CHECK(report.wake_latencies_ns.size() <= report.wake_latencies_total);
  for (const auto latency : report.wake_latencies_ns) CHECK(latency <= report.wall_ns);
}

/// Runs two groups of `work` until each worker has got on, stops them, and checks what they report.
std::vector<WorkerReport> run_on_host(const Work& work) {
  RunningAgent running("/nowhere");
  const auto tids = must(running.client.spawn(workers(work, 2 * work_group_size(work))));
  for (const auto tid : tids) CHECK(eventually([&] { return has_run(tid, 10'000'000, 20); }));
  const auto begin = std::chrono::steady_clock::now();
  auto reports = must(running.client.stop());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  REQUIRE(reports.size() == tids.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    CHECK(reports[i].tid == tids[i]);
    check_report(reports[i]);
    if (waits_for_wakeups(work)) CHECK(reports[i].wake_latencies_total > 0);
  }
  return reports;
}

}  // namespace

TEST_CASE("cpu_spin counts loop turns by iterations") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(CpuSpin{100})) CHECK(report.work_units == report.iterations * 100);
}
TEST_CASE("yield_heavy counts yields") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(YieldHeavy{})) CHECK(report.work_units == report.iterations);
}
TEST_CASE("mixed counts the turns between yields") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(Mixed{50})) CHECK(report.work_units == report.iterations * 50);
}
TEST_CASE("io_sync counts writes and sleeps between them") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(IoSync{ByteSize{4096}, std::chrono::microseconds(100)}))
    CHECK(report.off_cpu_ns > report.wake_latencies_total * 100'000);
}
TEST_CASE("bursty sleeps as long as it says") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(Bursty{std::chrono::milliseconds(1), std::chrono::milliseconds(2)})) {
    CHECK(report.off_cpu_ns > report.wake_latencies_total * 2'000'000);
    CHECK(report.iterations <= report.wake_latencies_total + 1);
  }
}
TEST_CASE("pipe_io takes turns") {
  NEEDS_CGROUP2();
  const auto reports = run_on_host(PipeIo{100});
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("futex_ping_pong takes turns") {
  NEEDS_CGROUP2();
  const auto reports = run_on_host(FutexPingPong{100});
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("cache_pressure counts touches of whole passes") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(CachePressure{ByteSize{4096}, 64}))
    CHECK(report.work_units == report.iterations * 64);
}
TEST_CASE("cache_yield counts touches of whole passes") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(CacheYield{ByteSize{4096}, 60}))
    CHECK(report.work_units == report.iterations * 69);
}
TEST_CASE("cache_pipe takes turns") {
  NEEDS_CGROUP2();
  const auto reports = run_on_host(CachePipe{ByteSize{4096}, 100});
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("futex_fan_out wakes its receivers and not itself") {
  NEEDS_CGROUP2();
  const auto reports = run_on_host(FutexFanOut{2, 1000});
  for (std::size_t i = 0; i < reports.size(); ++i)
    CHECK((reports[i].wake_latencies_total > 0) == (i % 3 != 0));
}
TEST_CASE("sequence goes through all its phases") {
  NEEDS_CGROUP2();
  const auto phase = std::chrono::milliseconds(1);
  for (const auto& report :
       run_on_host(Sequence{{SpinPhase{phase}, SleepPhase{phase}, YieldPhase{phase}, IoPhase{phase}}}))
    CHECK(report.wake_latencies_total > 0);
}
TEST_CASE("fork_exit counts children") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(ForkExit{})) CHECK(report.work_units == report.iterations);
}
TEST_CASE("nice_sweep gets on at every value") {
  NEEDS_CGROUP2();
  run_on_host(NiceSweep{-20, 19, 512});
}
TEST_CASE("nice_sweep passes over values that do not exist") {
  NEEDS_CGROUP2();
  run_on_host(NiceSweep{0, 19, 512});
}
TEST_CASE("affinity_churn moves among the CPUs") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(AffinityChurn{100}))
    CHECK(report.migrations + 1 >= report.cpus_used.count());
}
TEST_CASE("policy_churn gets on under each policy") {
  NEEDS_CGROUP2();
  run_on_host(PolicyChurn{100});
}
TEST_CASE("page_fault_churn counts touches of whole regions but the last") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(PageFaultChurn{ByteSize{1 << 20}, 16, 8}))
    CHECK((report.iterations - 1) * 16 <= report.work_units);
}
TEST_CASE("mutex_contention lets every contender in") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(MutexContention{3, 100, 100}))
    CHECK(report.work_units == report.iterations * 200);
}

}  // namespace ktstr::engine
