// What a worker records and what the agent makes of it, without a worker.
#include "engine/guest/recorder.h"

#include <doctest/doctest.h>

#include <numeric>

#include "engine/guest/clock.h"
#include "engine/guest/worker.h"

namespace ktstr::engine::guest {
namespace {

/// A worker that was released `ago_ns` ago and has ended just now.
Worker worker_released(std::uint64_t ago_ns) {
  Worker worker{1, "web", "cpu_spin", std::move(*Shared<WorkerState>::create()),
                Ending{{"exited", 0}, monotonic_ns(), 500, {}}};
  worker.state->released_ns = worker.state->last_progress_ns = monotonic_ns() - ago_ns;
  return worker;
}

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
  CHECK(report.wake_latencies_ns.at(0) >= 3'000'000'000);
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

TEST_CASE("more wake-ups than fit leave a uniform sample and their true number") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  constexpr std::uint64_t kWakeUps = 300'000;
  for (std::uint64_t i = 0; i < kWakeUps; ++i) recorder.woke(monotonic_ns() - i * 1'000'000);
  const auto report = make_report(worker, protocol::kMaxWakeLatencies);
  CHECK(report.wake_latencies_total == kWakeUps);
  REQUIRE(report.wake_latencies_ns.size() == protocol::kMaxWakeLatencies);
  // The latencies were i ms for i in [0, 300 000): a uniform sample's mean is near 150 s.
  const auto mean_s = std::accumulate(report.wake_latencies_ns.begin(), report.wake_latencies_ns.end(), 0.0) /
                      1e9 / static_cast<double>(report.wake_latencies_ns.size());
  CHECK(mean_s == doctest::Approx(150).epsilon(0.02));
}

TEST_CASE("a thinned sample keeps its shape and the true number") {
  const auto worker = worker_released(0);
  Recorder recorder(*worker.state, 1);
  for (std::uint64_t i = 0; i < 20'000; ++i) recorder.woke(monotonic_ns() - i * 1'000'000);
  const auto report = make_report(worker, 2000);
  CHECK(report.wake_latencies_total == 20'000);
  REQUIRE(report.wake_latencies_ns.size() == 2000);
  const auto mean_s =
      std::accumulate(report.wake_latencies_ns.begin(), report.wake_latencies_ns.end(), 0.0) / 1e9 / 2000;
  CHECK(mean_s == doctest::Approx(10).epsilon(0.1));
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
  CHECK(report.migration_cpus.size() == report.migrations);
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
