#include "introspect/ctprof/compare/aggregate.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "introspect/ctprof/compare/derived.h"
#include "tests/introspect/ctprof/threads.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::aggregate_of;

template <class Set>
std::vector<ThreadRecord> three(Set set) {
  std::vector<ThreadRecord> threads(3);
  for (std::size_t i = 0; i < threads.size(); ++i) set(threads[i], i);
  return threads;
}

}  // namespace

TEST_CASE("counts, times, ticks and bytes add up and saturate") {
  auto threads = three([](ThreadRecord& t, std::size_t i) { t.nr_wakeups = MonotonicCount{i + 1}; });
  CHECK(aggregate_of("nr_wakeups", threads) == Aggregate(Total{6}));
  threads[0].nr_wakeups = MonotonicCount{~std::uint64_t{0}};
  CHECK(aggregate_of("nr_wakeups", threads) == Aggregate(Total{~std::uint64_t{0}}));
}

TEST_CASE("absent values take no part, and a group of them has no value") {
  auto threads = three([](ThreadRecord&, std::size_t) {});
  CHECK(aggregate_of("wait_sum", threads) == Aggregate());
  CHECK(aggregate_of("wait_max", threads) == Aggregate());
  CHECK(aggregate_of("nice", threads) == Aggregate());
  CHECK(aggregate_of("policy", threads) == Aggregate());
  CHECK(aggregate_of("cpu_affinity", threads) == Aggregate());
  threads[1].wait_sum = MonotonicNs{0};
  CHECK(aggregate_of("wait_sum", threads) == Aggregate(Total{0}));
}

TEST_CASE("of peaks and gauges the greatest stands") {
  const auto threads = three([](ThreadRecord& t, std::size_t i) {
    t.wait_max = PeakNs{i * 10};
    t.nr_threads = GaugeCount{9 - i};
  });
  CHECK(aggregate_of("wait_max", threads) == Aggregate(Most{20}));
  CHECK(aggregate_of("nr_threads", threads) == Aggregate(Most{9}));
}

TEST_CASE("ordinals have a range") {
  const auto threads =
      three([](ThreadRecord& t, std::size_t i) { t.nice = OrdinalI32{static_cast<std::int32_t>(i) - 2}; });
  CHECK(aggregate_of("nice", threads) == Aggregate(Range{-2, 0}));
}

TEST_CASE("of categories the most frequent stands, of equals the first in order") {
  auto threads = three([](ThreadRecord& t, std::size_t i) {
    t.policy = Category{i == 0 ? "SCHED_FIFO" : "SCHED_OTHER"};
    t.state = StateLetter{"SRD"[i]};
    t.ext_enabled = Flag{i != 2};
  });
  CHECK(aggregate_of("policy", threads) == Aggregate(Mode{"SCHED_OTHER", 2, 3}));
  CHECK(aggregate_of("state", threads) == Aggregate(Mode{"D", 1, 3}));
  CHECK(aggregate_of("ext_enabled", threads) == Aggregate(Mode{"true", 2, 3}));
}

TEST_CASE("affinities are united") {
  const auto same = three([](ThreadRecord& t, std::size_t) { t.cpu_affinity = CpuAffinity{"0-3"}; });
  CHECK(aggregate_of("cpu_affinity", same) == Aggregate(AffinityUnion{"0-3", 4, 4, true}));
  const auto mixed =
      three([](ThreadRecord& t, std::size_t i) { t.cpu_affinity = CpuAffinity{i == 0 ? "8" : "0-3"}; });
  CHECK(aggregate_of("cpu_affinity", mixed) == Aggregate(AffinityUnion{"0-3,8", 1, 4, false}));
}

TEST_CASE("computed metrics are made of counters that there are") {
  CHECK(derived_metrics().size() == 17);
  for (const auto& derived : derived_metrics())
    for (const auto names : {derived.numerator, derived.denominator, derived.less})
      for (const auto name : names) {
        const auto* metric = find_metric(name);
        REQUIRE_MESSAGE(metric, name);
        CHECK(metric->rule() <= Rule::kSumBytes);
      }
}

TEST_CASE("a computed metric is absent without its parts or divided by nothing") {
  ThreadRecord record;
  const ThreadRecord* threads[] = {&record};
  const auto& wait = derived_metrics()[1];
  REQUIRE(wait.name == "avg_wait_ns");
  CHECK(derive(wait, threads) == Aggregate());
  record.wait_sum = MonotonicNs{100};
  CHECK(derive(wait, threads) == Aggregate());
  record.wait_count = MonotonicCount{0};
  CHECK(derive(wait, threads) == Aggregate());
  record.wait_count = MonotonicCount{8};
  CHECK(derive(wait, threads) == Aggregate(Derived{12.5}));
}

TEST_CASE("the live heap is what was allocated less what was given back, below 0 too") {
  ThreadRecord record;
  const ThreadRecord* threads[] = {&record};
  const auto live =
      std::ranges::find(derived_metrics(), std::string_view("live_heap_estimate"), &DerivedMetric::name);
  REQUIRE(live != derived_metrics().end());
  record.allocated_bytes = Bytes{100};
  CHECK(derive(*live, threads) == Aggregate());
  record.deallocated_bytes = Bytes{130};
  CHECK(derive(*live, threads) == Aggregate(Derived{-30}));
}

TEST_CASE("the time off the CPU leaves out thrashing, which is swapping in already") {
  ThreadRecord record;
  const ThreadRecord* threads[] = {&record};
  const auto& total = derived_metrics().back();
  record.cpu_delay_total_ns = record.blkio_delay_total_ns = record.swapin_delay_total_ns = MonotonicNs{1};
  record.freepages_delay_total_ns = record.compact_delay_total_ns = record.wpcopy_delay_total_ns =
      MonotonicNs{1};
  record.thrashing_delay_total_ns = MonotonicNs{100};
  CHECK(derive(total, threads) == Aggregate());
  record.irq_delay_total_ns = MonotonicNs{1};
  CHECK(derive(total, threads) == Aggregate(Derived{7}));
}

}  // namespace ktstr::introspect::ctprof
