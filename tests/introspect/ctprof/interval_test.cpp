// Computed metrics, each by its formula; and what happened between two captures of one boot.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "introspect/ctprof/compare/compare.h"
#include "introspect/ctprof/compare/derived.h"
#include "tests/introspect/ctprof/threads.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::snapshot;
using test::thread;
using Values = std::map<std::string, std::uint64_t>;

void set(ThreadRecord& record, const Values& values) {
  for (const auto& [name, value] : values) {
    const auto* metric = find_metric(name);
    REQUIRE_MESSAGE(metric, name);
    std::visit(
        [&]<class Q>(Metric::Member<Q> member) {
          if constexpr (Summable<Q>) record.*member = Q{value};
        },
        metric->member);
  }
}

Aggregate derived(const std::string& name, const Values& values) {
  ThreadRecord record;
  set(record, values);
  const ThreadRecord* threads[] = {&record};
  const auto all = derived_metrics();
  const auto metric = std::ranges::find(all, std::string_view(name), &DerivedMetric::name);
  REQUIRE_MESSAGE(metric != all.end(), name);
  return derive(*metric, threads);
}

const Row& row_of(const Comparison& comparison, const std::string& metric) {
  const auto found = std::ranges::find(comparison.rows, metric, &Row::metric);
  REQUIRE_MESSAGE(found != comparison.rows.end(), metric);
  return *found;
}

/// One thread "db" with these values, then with those, two seconds later.
Comparison compared(const Values& before, const Values& after) {
  auto first = thread(1, "db"), second = thread(1, "db");
  set(first, before);
  set(second, after);
  return compare(snapshot(10, {first}), snapshot(12, {second}), {});
}

struct Formula {
  const char* name;
  Values values;
  double value;
};

}  // namespace

TEST_CASE("each computed metric is what its formula says") {
  const std::vector<Formula> formulas = {
      {"affine_success_ratio", {{"nr_wakeups_affine", 3}, {"nr_wakeups_affine_attempts", 12}}, 0.25},
      {"avg_wait_ns", {{"wait_sum", 700}, {"wait_count", 7}}, 100},
      {"cpu_efficiency", {{"run_time_ns", 300}, {"wait_time_ns", 100}}, 0.75},
      {"avg_slice_ns", {{"run_time_ns", 300}, {"timeslices", 4}}, 75},
      {"involuntary_csw_ratio", {{"nonvoluntary_csw", 1}, {"voluntary_csw", 4}}, 0.2},
      {"disk_io_fraction", {{"read_bytes", 30}, {"write_bytes", 20}, {"rchar", 150}, {"wchar", 50}}, 0.25},
      {"live_heap_estimate", {{"allocated_bytes", 900}, {"deallocated_bytes", 400}}, 500},
      {"avg_iowait_ns", {{"iowait_sum", 90}, {"iowait_count", 3}}, 30},
      {"avg_cpu_delay_ns", {{"cpu_delay_total_ns", 26}, {"cpu_delay_count", 2}}, 13},
      {"avg_blkio_delay_ns", {{"blkio_delay_total_ns", 34}, {"blkio_delay_count", 2}}, 17},
      {"avg_swapin_delay_ns", {{"swapin_delay_total_ns", 38}, {"swapin_delay_count", 2}}, 19},
      {"avg_freepages_delay_ns", {{"freepages_delay_total_ns", 46}, {"freepages_delay_count", 2}}, 23},
      {"avg_thrashing_delay_ns", {{"thrashing_delay_total_ns", 58}, {"thrashing_delay_count", 2}}, 29},
      {"avg_compact_delay_ns", {{"compact_delay_total_ns", 62}, {"compact_delay_count", 2}}, 31},
      {"avg_wpcopy_delay_ns", {{"wpcopy_delay_total_ns", 74}, {"wpcopy_delay_count", 2}}, 37},
      {"avg_irq_delay_ns", {{"irq_delay_total_ns", 82}, {"irq_delay_count", 2}}, 41},
      {"total_offcpu_delay_ns",
       {{"cpu_delay_total_ns", 1},
        {"blkio_delay_total_ns", 10},
        {"swapin_delay_total_ns", 100},
        {"freepages_delay_total_ns", 1000},
        {"compact_delay_total_ns", 10'000},
        {"wpcopy_delay_total_ns", 100'000},
        {"irq_delay_total_ns", 1'000'000},
        {"thrashing_delay_total_ns", 7'000'000}},
       1'111'111},
  };
  CHECK(formulas.size() == derived_metrics().size());
  for (const auto& formula : formulas) {
    CAPTURE(formula.name);
    CHECK(derived(formula.name, formula.values) == Aggregate(Derived{formula.value}));
    for (const auto& [name, value] : formula.values) {
      auto less = formula.values;
      less.erase(name);
      if (name != "thrashing_delay_total_ns" || formula.values.size() == 2)
        CHECK(derived(formula.name, less) == Aggregate());
    }
  }
}

TEST_CASE("a quotient between captures of one boot is of what happened in between") {
  // 10 ns a wait for a long time, then 300.
  const auto comparison = compared({{"wait_sum", 1'000'000}, {"wait_count", 100'000}},
                                   {{"wait_sum", 1'000'900}, {"wait_count", 100'003}});
  const auto& row = row_of(comparison, "avg_wait_ns");
  CHECK(row.before == Aggregate(Derived{10}));
  CHECK(row.after == Aggregate(Derived{300}));
  CHECK(row.change == 290.0);
  CHECK(row.relative == 29.0);
  CHECK(!row.rate_per_second);
}

TEST_CASE("a quotient is absent when nothing happened in between") {
  const auto comparison =
      compared({{"wait_sum", 50}, {"wait_count", 5}}, {{"wait_sum", 50}, {"wait_count", 5}});
  const auto& row = row_of(comparison, "avg_wait_ns");
  CHECK(row.before == Aggregate(Derived{10}));
  CHECK(row.after == Aggregate());
  CHECK(!row.change);
}

TEST_CASE("between two boots, quotients are of the whole lives") {
  auto first = thread(1, "db"), second = thread(1, "db");
  set(first, {{"wait_sum", 100}, {"wait_count", 10}});
  set(second, {{"wait_sum", 900}, {"wait_count", 30}});
  const auto comparison = compare(snapshot(10, {first}, "a"), snapshot(12, {second}, "b"), {});
  CHECK(row_of(comparison, "avg_wait_ns").after == Aggregate(Derived{30}));
}

TEST_CASE("a computed level is that of the end, a computed total grows") {
  Values before{{"allocated_bytes", 1000}, {"deallocated_bytes", 900}}, after = before;
  for (const auto* delay : {"cpu", "blkio", "swapin", "freepages", "compact", "wpcopy", "irq"}) {
    before[std::string(delay) + "_delay_total_ns"] = 100;
    after[std::string(delay) + "_delay_total_ns"] = 102;
  }
  after["allocated_bytes"] = 1500;
  const auto comparison = compared(before, after);
  const auto& heap = row_of(comparison, "live_heap_estimate");
  CHECK(heap.before == Aggregate(Derived{100}));
  CHECK(heap.after == Aggregate(Derived{600}));
  CHECK(heap.change == 500.0);
  const auto& delays = row_of(comparison, "total_offcpu_delay_ns");
  CHECK(delays.after == Aggregate(Derived{714}));
  CHECK(delays.change == 14.0);
  CHECK(delays.relative == doctest::Approx(0.02));
  CHECK(delays.rate_per_second == 7.0);
}

TEST_CASE("one thread's fallen counter takes nothing from the others of its group") {
  auto steady = thread(1, "db"), fallen = thread(2, "db");
  set(steady, {{"run_time_ns", 1000}, {"timeslices", 10}});
  set(fallen, {{"run_time_ns", 5000}, {"timeslices", 10}});
  auto steady_later = steady, fallen_later = fallen;
  set(steady_later, {{"run_time_ns", 1500}, {"timeslices", 15}});
  set(fallen_later, {{"run_time_ns", 3}, {"timeslices", 11}});
  const auto comparison =
      compare(snapshot(10, {steady, fallen}), snapshot(12, {steady_later, fallen_later}), {});
  const auto& run_time = row_of(comparison, "run_time_ns");
  CHECK(run_time.change == 500.0);
  CHECK(run_time.relative == 0.5);
  CHECK(run_time.rate_per_second == 250.0);
  CHECK(!run_time.reset);
  CHECK(run_time.threads_reset == 1);
  CHECK(row_of(comparison, "timeslices").change == 6.0);
  CHECK(row_of(comparison, "timeslices").threads_reset == 0);
}

TEST_CASE("a thread that the first capture has missed counts for nothing, as it is not known what it had") {
  // It began at 1.02 s, the first capture is of 10 s.
  auto known = thread(1, "db"), missed = thread(2, "db");
  set(known, {{"run_time_ns", 100}});
  auto known_later = known;
  set(known_later, {{"run_time_ns", 130}});
  set(missed, {{"run_time_ns", 7000}});
  const auto comparison = compare(snapshot(10, {known}), snapshot(12, {known_later, missed}), {});
  const auto& row = row_of(comparison, "run_time_ns");
  CHECK(row.change == 30.0);
  CHECK(row.after == Aggregate(Total{7130}));
}

TEST_CASE("of a group without any thread of both captures there is no growth") {
  auto ended = thread(1, "db"), missed = thread(2, "db");
  set(ended, {{"run_time_ns", 100}});
  set(missed, {{"run_time_ns", 7000}});
  const auto comparison = compare(snapshot(10, {ended}), snapshot(12, {missed}), {});
  const auto& row = row_of(comparison, "run_time_ns");
  CHECK(row.before == Aggregate(Total{100}));
  CHECK(row.after == Aggregate(Total{7000}));
  CHECK(!row.change);
  CHECK(!row.rate_per_second);
}

}  // namespace ktstr::introspect::ctprof
