#include "introspect/monitor/sample.h"

#include <doctest/doctest.h>

#include <limits>

#include "engine/base/read.h"
#include "engine/base/write.h"
#include "introspect/monitor/counter.h"
#include "introspect/monitor/report.h"
#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

bool are_plausible(const std::vector<MonitorSample>& samples) {
  PlausibilityWatch watch;
  for (const auto& sample : samples) watch.add(sample);
  return watch.are_plausible();
}

}  // namespace

TEST_CASE("the imbalance ratio divides by at least one task") {
  CHECK(sample_at(0, {}).imbalance_ratio() == 1.0);
  CHECK(sample_at(0, {cpu(0, 1), cpu(0, 1)}).imbalance_ratio() == 0.0);
  CHECK(sample_at(0, {cpu(0, 1), cpu(6, 1)}).imbalance_ratio() == 6.0);
  CHECK(sample_at(0, {cpu(2, 1), cpu(6, 1), cpu(3, 1)}).imbalance_ratio() == 3.0);
  CHECK(sample_at(0, {cpu(5, 1)}).imbalance_ratio() == 1.0);
  CHECK(sample_at(0, {cpu(0, 1), cpu(std::numeric_limits<std::uint32_t>::max(), 1)}).imbalance_ratio() ==
        4294967295.0);
}

TEST_CASE("milliseconds are the nanoseconds rounded down, and never negative") {
  const auto sample = MonitorSample::at(Duration(1'999'999));
  CHECK(sample.elapsed_ns == 1'999'999);
  CHECK(sample.elapsed_ms == 1);
  CHECK(MonitorSample::at(Duration(-5)).elapsed_ns == 0);
}

TEST_CASE("an event is summed over the CPUs that count it") {
  const EventCounter fallback = "select_cpu_fallback";
  CHECK_FALSE(sample_at(0, {cpu(1, 1)}).sum_event(fallback).has_value());
  CHECK_FALSE(sample_at(0, {with_events(cpu(1, 1), std::nullopt, 4)}).sum_event(fallback).has_value());
  CHECK(sample_at(0, {with_events(cpu(1, 1), 3), cpu(1, 1), with_events(cpu(1, 1), 4)}).sum_event(fallback) ==
        7);
  CHECK(sample_at(0, {with_events(cpu(1, 1), 0)}).sum_event(fallback) == 0);
  CHECK(sample_at(0, {with_events(cpu(1, 1), kMax), with_events(cpu(1, 1), 1)}).sum_event(fallback) == kMax);
}

TEST_CASE("a counter's delta is never negative and never overflows") {
  CHECK(counter_delta<std::int64_t>(10, 4) == 6);
  CHECK(counter_delta<std::int64_t>(4, 4) == 0);
  CHECK(counter_delta<std::int64_t>(3, 4) == 0);
  CHECK(counter_delta<std::int64_t>(-1, -5) == 4);
  CHECK(counter_delta(kMax, kMin) == kMax);
  CHECK(counter_delta(kMin, kMax) == 0);
  CHECK(counter_delta<std::uint64_t>(3, 4) == 0);
  CHECK(counter_delta<std::uint32_t>(0xffffffff, 0) == 0xffffffff);
  CHECK(saturating_add(kMin, std::int64_t{-1}) == kMin);
  CHECK(saturating_add<std::uint64_t>(~0ULL, 1) == ~0ULL);
}

TEST_CASE("a rate over no time is absent") {
  CHECK_FALSE(rate_per_second(5, 0).has_value());
  CHECK(rate_per_second(5, 500'000'000) == 10.0);
  CHECK(rate_per_second(1, 1) == 1e9);
}

TEST_CASE("a report survives JSON out and in, absent members included") {
  MonitorReport report;
  std::vector samples = {sample_at(100, {with_time(with_events(cpu(3, 7, 2), 5), 9)}),
                         sample_at(200, {cpu(0, 0)})};
  samples[0].scheduler_instance = 1;
  samples[0].cpus[0].event_counters->other = {1, -2};
  samples[0].cpus[0].schedstat = RqSchedstat{1, 2, 3, {}, 5, {}, 7};
  samples[0].cpus[0].sched_domains.emplace(1);
  samples[0].cpus[0].sched_domains->front().stats.emplace();
  samples[1].cpus[0].local_dsq_depth.reset();
  report.samples = samples;
  report.summary = summarize(report.samples, 40'000'000);
  report.missing = {{"schedstat counters", "kernel.sched_schedstats is 0"}};
  const auto json = to_json(report);
  const auto back = from_json<MonitorReport>(json);
  REQUIRE(back.has_value());
  CHECK(to_json(*back) == json);
  CHECK(json.find(R"("local_dsq_depth":null)") != std::string::npos);
  CHECK(json.find(R"("select_cpu_fallback":5,"dispatch_local_dsq_offline":null)") != std::string::npos);
}

TEST_CASE("a local DSQ deeper than the ceiling is no depth") {
  CHECK(is_plausible(sample_at(0, {})));
  CHECK(is_plausible(sample_at(0, {cpu(1, 1, 10'000)})));
  CHECK_FALSE(is_plausible(sample_at(0, {cpu(1, 1, 0), cpu(1, 1, 10'001)})));
  auto unknown = cpu(1, 1);
  unknown.local_dsq_depth.reset();
  CHECK(is_plausible(sample_at(0, {unknown})));
}

TEST_CASE("clocks that are all the same were never written") {
  const std::vector same = {sample_at(0, {cpu(1, 5), cpu(1, 5)}), sample_at(100, {cpu(1, 5), cpu(1, 5)})};
  CHECK_FALSE(are_plausible(same));
  const std::vector one_differs = {sample_at(0, {cpu(1, 5), cpu(1, 5)}),
                                   sample_at(100, {cpu(1, 5), cpu(1, 6)})};
  CHECK(are_plausible(one_differs));
  const std::vector one_sample = {sample_at(0, {cpu(1, 0), cpu(1, 0)})};
  CHECK_FALSE(are_plausible(one_sample));
}

TEST_CASE("a single reading can't be compared and is believed") {
  CHECK(are_plausible(std::vector{sample_at(0, {cpu(1, 5)})}));
  CHECK(are_plausible(std::vector{sample_at(0, {}), sample_at(100, {cpu(1, 5)})}));
  CHECK(are_plausible({}));
}

TEST_CASE("one implausible sample makes the series implausible") {
  CHECK_FALSE(are_plausible(std::vector{sample_at(0, {cpu(1, 5)}), sample_at(100, {cpu(1, 6, 20'000)})}));
}

}  // namespace ktstr::introspect
