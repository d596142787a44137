// What a worker records and what the agent makes of it, without a worker.
#include "engine/guest/recorder.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <algorithm>
#include <numeric>

#include "engine/guest/clock.h"
#include "engine/guest/worker.h"
#include "tests/skip.h"

namespace ktstr::engine::guest {
namespace {

/// A worker that was released `ago_ns` ago and has ended just now.
Worker worker_released(std::uint64_t ago_ns) {
  static SharedPool<WorkerState> pool(100);
  Worker worker{.pid = 1,
                .cgroup = "web",
                .work = "cpu_spin",
                .role = "",
                .affinities = {},
                .state = std::move(*pool.take()),
                .group = {},
                .ending = Ending{{"exited", 0}, monotonic_ns(), 500, {}, {}}};
  worker.state->released_ns = worker.state->last_progress_ns = monotonic_ns() - ago_ns;
  return worker;
}

/// Puts this process onto CPUs in turn, and back to where it might be when it goes.
class Mover {
 public:
  Mover() { ::sched_getaffinity(0, sizeof before_, &before_); }
  ~Mover() { ::sched_setaffinity(0, sizeof before_, &before_); }
  /// The CPUs that there are to be on, at most two.
  [[nodiscard]] std::vector<std::size_t> cpus() const {
    std::vector<std::size_t> cpus;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
      if (CPU_ISSET(cpu, &before_)) cpus.push_back(cpu);
    return cpus;
  }
  void move_to(std::size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    REQUIRE(::sched_setaffinity(0, sizeof set, &set) == 0);
  }

 private:
  cpu_set_t before_;
};

}  // namespace

TEST_CASE("iterations and their units add up") {
  const auto worker = worker_released(1000);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  for (int i = 0; i < 10; ++i) recorder.iteration(3);
  recorder.work(2);
  recorder.finish();
  const auto report = make_report(worker, 10);
  CHECK(report.iterations == 10);
  CHECK(report.work_units == 32);
  CHECK(report.completed);
}

TEST_CASE("the first gap begins at the release") {
  const auto worker = worker_released(7'000'000'000);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  recorder.iteration(1);
  recorder.finish();
  const auto report = make_report(worker, 10);
  CHECK(report.longest_gap_ns >= 7'000'000'000);
  CHECK(report.longest_gap_at_ns >= report.longest_gap_ns);
}

TEST_CASE("time asleep by choice is no gap, time from the due wake-up is") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  recorder.iteration(1);
  worker.state->last_progress_ns -= 9'000'000'000;  // as if it had gone to sleep 9 s ago
  recorder.begin_wait();
  recorder.woke(monotonic_ns() - 3'000'000'000);
  recorder.iteration(1);
  const auto report = make_report(worker, 10);
  CHECK(report.longest_gap_ns >= 3'000'000'000);
  CHECK(report.longest_gap_ns < 9'000'000'000);
  CHECK(*report.wake_latency_max_ns >= 3'000'000'000);
}

TEST_CASE("a worker that never ran has a gap as long as its life and no progress") {
  const auto report = make_report(worker_released(4'000'000'000), 10);
  CHECK_FALSE(report.completed);
  CHECK(report.iterations == 0);
  CHECK(report.longest_gap_ns >= 3'900'000'000);
  CHECK(report.wall_ns >= report.longest_gap_ns);
  CHECK(report.cpu_ns == 500);
  CHECK(report.off_cpu_ns == report.wall_ns - 500);
}

TEST_CASE("a worker that died waiting for its partner has no gap from that") {
  const auto worker = worker_released(4'000'000'000);
  worker.state->waiting = true;
  CHECK(make_report(worker, 10).longest_gap_ns == 0);
}

TEST_CASE("schedstat counts from the release and is absent where the kernel keeps none") {
  auto worker = worker_released(1);
  CHECK_FALSE(make_report(worker, 10).schedstat_run_count.has_value());
  worker.state->has_schedstat = true;
  worker.state->schedstat_at_release = {100, 10, 1};
  worker.ending->schedstat = Schedstat{150, 30, 4};
  const auto report = make_report(worker, 10);
  CHECK(report.schedstat_cpu_time_ns == 50);
  CHECK(report.schedstat_run_delay_ns == 20);
  CHECK(report.schedstat_run_count == 3);
}

TEST_CASE("every wake-up is counted, with the longest as it was") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  constexpr std::uint64_t kWakeUps = 300'000;
  for (std::uint64_t i = 0; i < kWakeUps; ++i) recorder.woke(monotonic_ns() - i * 1'000'000);
  const auto report = make_report(worker, 10);
  CHECK(report.wake_latencies_total == kWakeUps);
  const auto& histogram = report.wake_histogram;
  CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0}) == kWakeUps);
  CHECK(std::ranges::is_sorted(histogram.upto_ns));
  CHECK(*report.wake_latency_max_ns >= (kWakeUps - 1) * 1'000'000);
  CHECK(*report.wake_latency_max_ns <= histogram.upto_ns.back());
}

TEST_CASE("a worker that never woke has no longest wake-up") {
  const auto report = make_report(worker_released(0), 10);
  CHECK_FALSE(report.wake_latency_max_ns);
  CHECK(report.wake_histogram.counts.empty());
}

TEST_CASE("a sleep that the stop ends is no gap") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  recorder.iteration(1);
  recorder.begin_wait();
  worker.state->last_progress_ns -= 9'000'000'000;  // asleep for 9 s
  recorder.finish();
  CHECK(make_report(worker, 10).longest_gap_ns < 9'000'000'000);
}

TEST_CASE("migrations are counted beyond those that are listed") {
  Mover mover;
  const auto cpus = mover.cpus();
  if (cpus.size() < 2) SKIP_TEST("there is one CPU here");
  mover.move_to(cpus[0]);
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  constexpr std::size_t kMoves = protocol::kMaxMigrationCpus + 10;
  for (std::size_t i = 1; i <= kMoves; ++i) {
    mover.move_to(cpus[i % 2]);
    recorder.iteration(1);
  }
  const auto report = make_report(worker, protocol::kMaxMigrationCpus);
  CHECK(report.migrations == kMoves);
  REQUIRE(report.migration_cpus.size() == protocol::kMaxMigrationCpus);
  CHECK(report.migration_cpus[0] == cpus[1]);
  CHECK(report.migration_cpus[1] == cpus[0]);
  CHECK(make_report(worker, 3).migration_cpus.size() == 3);
}

TEST_CASE("a gap has the CPU on which the worker got on again") {
  Mover mover;
  const auto cpus = mover.cpus();
  if (cpus.size() < 2) SKIP_TEST("there is one CPU here");
  mover.move_to(cpus[0]);
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  worker.state->last_progress_ns -= 9'000'000'000;
  mover.move_to(cpus[1]);
  recorder.iteration(1);
  CHECK(make_report(worker, 10).longest_gap_cpu == cpus[1]);
}

TEST_CASE("a CPU outside the cpuset that is in force is a stray one, whenever the cpuset held it") {
  Mover mover;
  const auto cpus = mover.cpus();
  if (cpus.size() < 2) SKIP_TEST("there is one CPU here");
  const auto worker = worker_released(0);
  auto& state = *worker.state;
  Recorder recorder(state, 1);
  mover.move_to(cpus[0]);
  recorder.release();  // nothing is known of its cpuset yet
  set_allowed(state, CpuSet{cpus[0], cpus[1]});
  mover.move_to(cpus[1]);
  recorder.iteration(1);
  CHECK(make_report(worker, 10).stray_cpus.empty());

  set_allowed(state, std::nullopt);  // it changes: what is seen now may be of either
  recorder.iteration(1);
  mover.move_to(cpus[0]);
  recorder.iteration(1);
  set_allowed(state, CpuSet{cpus[0]});
  recorder.iteration(1);
  CHECK(make_report(worker, 10).stray_cpus.empty());

  mover.move_to(cpus[1]);
  recorder.iteration(1);
  CHECK(make_report(worker, 10).stray_cpus == CpuSet{cpus[1]});
}

TEST_CASE("a worker that stays where it may no longer be is seen at its next sign of progress") {
  Mover mover;
  const auto cpus = mover.cpus();
  if (cpus.size() < 2) SKIP_TEST("there is one CPU here");
  mover.move_to(cpus[0]);
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  set_allowed(*worker.state, CpuSet{cpus[0]});
  recorder.release();
  recorder.iteration(1);
  set_allowed(*worker.state, CpuSet{cpus[1]});
  recorder.iteration(1);
  CHECK(make_report(worker, 10).stray_cpus == CpuSet{cpus[0]});
}

TEST_CASE("objects of a pool are zeroed again, and there are no more than its capacity") {
  SharedPool<WorkerState> pool(2);
  auto first = pool.take();
  const auto second = pool.take();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(pool.take().error().code == ErrorCode::kOutOfRange);
  (*first)->work_units = 7;
  const auto* former = first->get();
  first->reset();
  const auto third = pool.take();
  REQUIRE(third);
  CHECK(third->get() == former);
  CHECK((*third)->work_units == 0);
}

TEST_CASE("the CPU that runs the test is among those used") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  recorder.release();
  for (int i = 0; i < 1000; ++i) recorder.iteration(1);
  recorder.finish();
  const auto report = make_report(worker, 10);
  CHECK(report.cpus_used.count() >= 1);
  CHECK(report.cpus_used.contains(worker.state->cpu));
  CHECK(report.migration_cpus.size() == std::min<std::uint64_t>(report.migrations, 10));
}

TEST_CASE("random numbers stay below their bound and vary") {
  Random random(5);
  std::uint64_t seen = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto number = random.below(10);
    REQUIRE(number < 10);
    seen |= 1ULL << number;
  }
  CHECK(seen == 0x3ff);
}

}  // namespace ktstr::engine::guest
