#include "introspect/monitor/stall.h"

#include <doctest/doctest.h>

#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

/// Indices of the samples in which CPU 0 is stalled.
std::vector<std::size_t> stalled_samples(const std::vector<MonitorSample>& samples,
                                         std::uint64_t threshold_ns) {
  std::vector<std::size_t> stalled;
  StallWatch watch(threshold_ns);
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (watch.add(samples[i]) && watch.cpus() > 0 && watch.is_stalled(0)) stalled.push_back(i);
  return stalled;
}
}  // namespace

TEST_CASE("a clock that stands still with tasks to run is a stall") {
  CHECK(is_cpu_stalled(cpu(1, 5), cpu(1, 5), kThreshold));
  CHECK_FALSE(is_cpu_stalled(cpu(1, 5), cpu(1, 6), kThreshold));
}

TEST_CASE("a CPU that is idle in both samples is exempt, in one of them it is not") {
  CHECK_FALSE(is_cpu_stalled(cpu(0, 5), cpu(0, 5), kThreshold));
  CHECK(is_cpu_stalled(cpu(1, 5), cpu(0, 5), kThreshold));
  CHECK(is_cpu_stalled(cpu(0, 5), cpu(1, 5), kThreshold));
}

TEST_CASE("a vCPU that ran for less than the threshold is exempt") {
  const auto before = with_time(cpu(1, 5), 1'000);
  CHECK_FALSE(is_cpu_stalled(before, with_time(cpu(1, 5), 1'000 + kThreshold - 1), kThreshold));
  CHECK(is_cpu_stalled(before, with_time(cpu(1, 5), 1'000 + kThreshold), kThreshold));
  CHECK_FALSE(is_cpu_stalled(before, with_time(cpu(1, 5), 0), kThreshold));
}

TEST_CASE("an unknown CPU time exempts nothing") {
  CHECK(is_cpu_stalled(cpu(1, 5), with_time(cpu(1, 5), 1), kThreshold));
  CHECK(is_cpu_stalled(with_time(cpu(1, 5), 1), cpu(1, 5), kThreshold));
}

TEST_CASE("a clock that was never written is exempt") {
  CHECK_FALSE(is_cpu_stalled(cpu(1, 0), cpu(1, 0), kThreshold));
}

TEST_CASE("at a period of several ticks neighbours are compared") {
  const std::uint64_t clocks[] = {1, 2, 2, 2, 3, 3};
  CHECK(stalled_samples(series(6, [&](auto i) { return std::vector{cpu(1, clocks[i])}; }), kThreshold) ==
        std::vector<std::size_t>{2, 3, 5});
}

TEST_CASE("at a period below the threshold a clock may stand still between two ticks") {
  std::vector<MonitorSample> ticking, stuck;
  for (int ms = 0; ms < 100; ++ms) {
    ticking.push_back(sample_at(ms, {cpu(1, 1'000 + static_cast<std::uint64_t>(ms) / 4)}));
    stuck.push_back(sample_at(ms, {cpu(1, 1'000)}));
  }
  CHECK(stalled_samples(ticking, kThreshold).empty());
  const auto stalled = stalled_samples(stuck, kThreshold);
  REQUIRE_FALSE(stalled.empty());
  CHECK(stalled.front() == 40);
  CHECK(stalled.back() == 99);
  CHECK(stalled.size() == 60);
}

TEST_CASE("a longer threshold needs a longer standstill") {
  const auto samples = series(6, [](auto i) { return std::vector{cpu(1, i < 2 ? i : 2)}; });
  CHECK(stalled_samples(samples, 300'000'000) == std::vector<std::size_t>{5});
  CHECK(stalled_samples(samples, 400'000'000).empty());
}

TEST_CASE("only CPUs that both samples have are judged") {
  const std::vector samples = {sample_at(0, {cpu(1, 1)}), sample_at(100, {}),
                               sample_at(200, {cpu(1, 1), cpu(1, 1)})};
  CHECK(stalled_samples(samples, kThreshold).empty());
}

TEST_CASE("series without a pair give no judgement") {
  CHECK(stalled_samples({}, kThreshold).empty());
  CHECK(stalled_samples({sample_at(0, {cpu(1, 1)})}, kThreshold).empty());
  CHECK(stalled_samples({sample_at(5, {cpu(1, 1)}), sample_at(5, {cpu(1, 1)})}, kThreshold).empty());
}

}  // namespace ktstr::introspect
