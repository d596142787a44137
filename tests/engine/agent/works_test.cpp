// Each work type on this host: it starts, gets on, stops in time, its numbers fit together, and the kernel's
// /proc shows that it does what it is there to do.
#include <sched.h>

#include <algorithm>
#include <set>

#include "tests/engine/agent/host_fixture.h"
#include "tests/engine/agent/proc.h"

namespace ktstr::engine {
namespace {

using protocol::WorkerReport;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
/// CPU time is counted in other places than wall time.
constexpr std::uint64_t kClockSlackNs = 20'000'000;

bool waits_for_wakeups(const Work& work) {
  return std::holds_alternative<IoSync>(work) || std::holds_alternative<Bursty>(work) ||
         std::holds_alternative<PipeIo>(work) || std::holds_alternative<FutexPingPong>(work) ||
         std::holds_alternative<CachePipe>(work) || std::holds_alternative<TimerLatency>(work);
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
  CHECK(report.wake_latency_max_ns.value_or(0) <= report.wall_ns);
  std::uint64_t wake_ups = 0;
  for (const auto count : report.wake_histogram.counts) wake_ups += count;
  CHECK(wake_ups == report.wake_latencies_total);
}

using Tids = std::vector<std::int32_t>;

/// Runs two groups of `work` until each worker has got on and `seen` has looked at them from outside, stops
/// them, and checks what they report.
std::vector<WorkerReport> run_on_host(
    const Work& work, const std::function<void(const Tids&)>& seen = [](const Tids&) {},
    const CpuSet& affinity = {}) {
  RunningAgent running("/nowhere");
  auto request = workers(work, 2 * work_group_size(work));
  std::ranges::fill(request.affinities, affinity);
  const auto tids = must(running.client.ask(request)).tids;
  for (const auto tid : tids) CHECK(eventually([&] { return has_run(tid, 10'000'000, 20); }));
  seen(tids);
  const auto begin = std::chrono::steady_clock::now();
  auto reports = must(running.client.ask(protocol::StopWorkers{})).reports;
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  REQUIRE(reports.size() == tids.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    CHECK(reports[i].tid == tids[i]);
    check_report(reports[i]);
    if (waits_for_wakeups(work)) CHECK(reports[i].wake_latencies_total > 0);
  }
  return reports;
}

/// Whether every task's number grows by `more`.
void check_grows(const Tids& tids, std::uint64_t more,
                 const std::function<std::uint64_t(std::int32_t)>& number) {
  for (const auto tid : tids) {
    const auto before = number(tid);
    CHECK_MESSAGE(eventually([&] { return number(tid) >= before + more; }), "tid ", tid, " from ", before);
  }
}

void check_sleeps(const Tids& tids) {
  check_grows(tids, 10, [](auto tid) { return proc_number(tid, "status", "voluntary_ctxt_switches"); });
}

void check_writes(const Tids& tids, std::uint64_t bytes) {
  check_grows(tids, bytes, [](auto tid) { return proc_number(tid, "io", "wchar"); });
}

/// Workers that share a CPU give it up after a small part of a time slice.
void check_yields(const Tids& tids) {
  for (const auto tid : tids) {
    const auto schedstat = [&] {
      std::istringstream text(proc_text(tid, "schedstat"));
      std::uint64_t cpu_ns = 0, delay_ns = 0, turns = 0;
      text >> cpu_ns >> delay_ns >> turns;
      return std::pair(cpu_ns, turns);
    };
    const auto [cpu_before, turns_before] = schedstat();
    const auto enough = turns_before + 500;
    REQUIRE(eventually([&] { return schedstat().second >= enough; }));
    const auto [cpu_ns, turns] = schedstat();
    CHECK((cpu_ns - cpu_before) / (turns - turns_before) < 500'000);
  }
}

/// How many different values `look` shows of each task, until there are `wanted`.
template <class Value>
std::vector<std::set<Value>> values_seen(const Tids& tids, std::size_t wanted,
                                         const std::function<Value(std::int32_t)>& look) {
  std::vector<std::set<Value>> seen(tids.size());
  for (std::size_t i = 0; i < tids.size(); ++i)
    CHECK_MESSAGE(eventually([&] { return seen[i].insert(look(tids[i])), seen[i].size() >= wanted; }), "tid ",
                  tids[i], " showed ", seen[i].size());
  return seen;
}

CpuSet one_cpu() {
  cpu_set_t set;
  ::sched_getaffinity(0, sizeof set, &set);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) return {cpu};
  return {};
}

}  // namespace

TEST_CASE("cpu_spin counts loop turns by iterations, and never gives way") {
  NEEDS_CGROUP2();
  const auto switches = [](auto tid) { return proc_number(tid, "status", "voluntary_ctxt_switches"); };
  const auto never_sleeps = [&](const Tids& tids) {
    for (const auto tid : tids) {
      const auto before = switches(tid);
      check_grows({tid}, 5, [](auto t) { return static_cast<std::uint64_t>(proc_stat(t, 14)); });  // utime
      CHECK(switches(tid) == before);
    }
  };
  for (const auto& report : run_on_host(CpuSpin{100}, never_sleeps))
    CHECK(report.work_units == report.iterations * 100);
}
TEST_CASE("yield_heavy counts yields, and gives way with each") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(YieldHeavy{}, check_yields, one_cpu()))
    CHECK(report.work_units == report.iterations);
}
TEST_CASE("mixed counts the turns between yields, and gives way with each") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(Mixed{50}, check_yields, one_cpu()))
    CHECK(report.work_units == report.iterations * 50);
}
TEST_CASE("io_sync counts writes and sleeps between them") {
  NEEDS_CGROUP2();
  const auto writes = [](const Tids& tids) {
    check_writes(tids, 10 * 4096);
    check_sleeps(tids);
  };
  for (const auto& report : run_on_host(IoSync{ByteSize{4096}, std::chrono::microseconds(100)}, writes))
    CHECK(report.off_cpu_ns > report.wake_latencies_total * 100'000);
}
TEST_CASE("bursty sleeps as long as it says") {
  NEEDS_CGROUP2();
  for (const auto& report :
       run_on_host(Bursty{std::chrono::milliseconds(1), std::chrono::milliseconds(2)}, check_sleeps)) {
    CHECK(report.off_cpu_ns > report.wake_latencies_total * 2'000'000);
    CHECK(report.iterations <= report.wake_latencies_total + 1);
  }
}
TEST_CASE("timer_latency sleeps until each moment of its interval that it is in time for") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(TimerLatency{std::chrono::milliseconds(2)}, check_sleeps)) {
    CHECK(report.iterations <= report.wall_ns / 2'000'000 + 1);
    CHECK(report.iterations <= report.wake_latencies_total + 1);
    CHECK(report.off_cpu_ns > report.wall_ns / 2);
  }
}
TEST_CASE("pipe_io takes turns, and passes a byte with each") {
  NEEDS_CGROUP2();
  const auto passes_on = [](const Tids& tids) {
    check_writes(tids, 10);
    check_sleeps(tids);
  };
  const auto reports = run_on_host(PipeIo{100}, passes_on);
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("futex_ping_pong takes turns, and sleeps between them") {
  NEEDS_CGROUP2();
  const auto reports = run_on_host(FutexPingPong{100}, check_sleeps);
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("cache_pressure counts touches of whole passes over all of its buffer") {
  NEEDS_CGROUP2();
  const auto holds_buffer = [](const Tids& tids) {
    for (const auto tid : tids)
      CHECK(eventually([&] { return proc_number(tid, "status", "RssAnon") >= 8192; }));
  };
  for (const auto& report : run_on_host(CachePressure{ByteSize{8 << 20}, 64}, holds_buffer))
    CHECK(report.work_units == report.iterations * (8 << 20) / 64);
}
TEST_CASE("cache_yield counts touches of whole passes, and gives way after each") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(CacheYield{ByteSize{4096}, 60}, check_yields, one_cpu()))
    CHECK(report.work_units == report.iterations * 69);
}
TEST_CASE("cache_pipe takes turns, and passes a byte with each") {
  NEEDS_CGROUP2();
  const auto passes_on = [](const Tids& tids) { check_writes(tids, 10); };
  const auto reports = run_on_host(CachePipe{ByteSize{4096}, 100}, passes_on);
  CHECK(reports[0].iterations - reports[1].iterations <= 1);
}
TEST_CASE("futex_fan_out wakes its receivers and not itself") {
  NEEDS_CGROUP2();
  const auto receivers_sleep = [](const Tids& tids) {
    for (std::size_t i = 0; i < tids.size(); ++i)
      if (i % 3 != 0) check_sleeps({tids[i]});
  };
  const auto reports = run_on_host(FutexFanOut{2, 1000}, receivers_sleep);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    CHECK((reports[i].wake_latencies_total > 0) == (i % 3 != 0));
    CHECK(reports[i].role == (i % 3 == 0 ? "messenger" : "receiver"));
  }
}
TEST_CASE("sequence goes through all its phases") {
  NEEDS_CGROUP2();
  const auto phase = std::chrono::milliseconds(1);
  const auto does_all = [](const Tids& tids) {
    check_writes(tids, 10 * 4096);
    check_sleeps(tids);
    check_grows(tids, 5, [](auto tid) { return static_cast<std::uint64_t>(proc_stat(tid, 14)); });  // utime
    check_grows(tids, 2, [](auto tid) { return static_cast<std::uint64_t>(proc_stat(tid, 15)); });  // stime
  };
  for (const auto& report : run_on_host(
           Sequence{{SpinPhase{phase}, SleepPhase{phase}, YieldPhase{phase}, IoPhase{phase}}}, does_all))
    CHECK(report.wake_latencies_total > 0);
}
TEST_CASE("a yield phase yields and an io phase writes") {
  NEEDS_CGROUP2();
  const auto phase = std::chrono::milliseconds(1);
  run_on_host(Sequence{{YieldPhase{phase}}}, check_yields, one_cpu());
  run_on_host(Sequence{{IoPhase{phase}}}, [](const Tids& tids) { check_writes(tids, 10 * 4096); });
}
TEST_CASE("fork_exit counts children, which it waits for") {
  NEEDS_CGROUP2();
  const auto has_children = [](const Tids& tids) {
    check_grows(tids, 10,
                [](auto tid) { return static_cast<std::uint64_t>(proc_stat(tid, 11)); });  // cminflt
  };
  for (const auto& report : run_on_host(ForkExit{}, has_children))
    CHECK(report.work_units == report.iterations);
}
TEST_CASE("nice_sweep goes through the values between lowest and highest") {
  NEEDS_CGROUP2();
  const auto nice = [](std::int32_t tid) { return proc_stat(tid, 19); };
  const auto sweeps = [&](const Tids& tids) {
    for (const auto& values : values_seen<std::int64_t>(tids, 4, nice)) {
      CHECK(*values.begin() == 3);
      CHECK(*values.rbegin() == 6);
    }
  };
  run_on_host(NiceSweep{3, 6, 512}, sweeps);
}
TEST_CASE("nice_sweep goes to the lowest value that it has a right to") {
  NEEDS_CGROUP2();
  const auto nice = [](std::int32_t tid) { return proc_stat(tid, 19); };
  run_on_host(NiceSweep{-20, 19, 512}, [&](const Tids& tids) { values_seen<std::int64_t>(tids, 15, nice); });
}
TEST_CASE("affinity_churn pins itself to one CPU after another") {
  NEEDS_CGROUP2();
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) SKIP_TEST("there is one CPU here");
  const auto list = [](std::int32_t tid) { return proc_entry(tid, "status", "Cpus_allowed_list"); };
  const auto is_pinned = [](const std::string& cpus) {
    return cpus.find_first_of(",-") == std::string::npos;
  };
  const auto moves = [&](const Tids& tids) {
    for (const auto& lists : values_seen<std::string>(tids, 2, list))
      CHECK(std::ranges::any_of(lists, is_pinned));
    for (const auto tid : tids) {
      std::set<std::string> pinned;
      CHECK(eventually([&] {
        if (const auto cpus = list(tid); is_pinned(cpus)) pinned.insert(cpus);
        return pinned.size() >= 2;
      }));
    }
  };
  for (const auto& report : run_on_host(AffinityChurn{100}, moves)) CHECK(report.migrations > 0);
}
TEST_CASE("policy_churn cycles through the policies that it may use") {
  NEEDS_CGROUP2();
  const auto policy = [](std::int32_t tid) { return ::sched_getscheduler(tid); };
  const auto changes = [&](const Tids& tids) {
    for (const auto& policies : values_seen<int>(tids, 3, policy)) CHECK_FALSE(policies.contains(-1));
  };
  run_on_host(PolicyChurn{100}, changes);
}
TEST_CASE("page_fault_churn counts touches of whole regions but the last, and touches pages all over them") {
  NEEDS_CGROUP2();
  const auto faults = [](const Tids& tids) {
    check_grows(tids, 1000,
                [](auto tid) { return static_cast<std::uint64_t>(proc_stat(tid, 10)); });  // minflt
    for (const auto tid : tids) {
      std::uint64_t least_kb = ~std::uint64_t{0}, most_kb = 0;
      CHECK(eventually([&] {
        const auto kb = proc_number(tid, "status", "RssAnon");
        if (kb == 0) return false;
        least_kb = std::min(least_kb, kb);
        most_kb = std::max(most_kb, kb);
        return most_kb - least_kb >= 2048;  // half of a region's pages
      }));
    }
  };
  for (const auto& report : run_on_host(PageFaultChurn{ByteSize{4 << 20}, 2048, 8}, faults))
    CHECK((report.iterations - 1) * 2048 <= report.work_units);
}
TEST_CASE("mutex_contention lets every contender in, and the others sleep") {
  NEEDS_CGROUP2();
  for (const auto& report : run_on_host(MutexContention{3, 100'000, 100}, check_sleeps))
    CHECK(report.work_units == report.iterations * 100'100);
}
TEST_CASE("with no loop turns in between, what a type is there to do is what counts") {
  NEEDS_CGROUP2();
  for (const Work& work :
       {Work(Mixed{0}), Work(AffinityChurn{0}), Work(PolicyChurn{0}), Work(NiceSweep{0, 19, 0}),
        Work(PipeIo{0}), Work(FutexPingPong{0}), Work(CachePipe{ByteSize{4096}, 0}), Work(FutexFanOut{2, 0}),
        Work(MutexContention{2, 0, 0})})
    for (const auto& report : run_on_host(work)) CHECK(report.work_units == report.iterations);
}

}  // namespace ktstr::engine
