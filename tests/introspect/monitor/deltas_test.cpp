#include <doctest/doctest.h>

#include <limits>

#include "engine/base/write.h"
#include "introspect/monitor/sample.h"
#include "introspect/monitor/summary.h"
#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

std::vector<MonitorSample> fallbacks(std::initializer_list<std::optional<std::int64_t>> counts) {
  return series(counts.size(), [&](auto i) {
    const auto count = counts.begin()[i];
    return std::vector{count ? with_events(cpu(1, i + 1), count) : cpu(1, i + 1)};
  });
}

CpuSnapshot with_stat(RqSchedstat stat) {
  auto snapshot = cpu(1, 1);
  snapshot.schedstat = stat;
  return snapshot;
}

}  // namespace

TEST_CASE("without counters there are no deltas") {
  CHECK_FALSE(event_deltas({}, {}).has_value());
  CHECK_FALSE(event_deltas(series(3, [](auto i) { return std::vector{cpu(1, i)}; }), {}).has_value());
}

TEST_CASE("a steady counter gives its growth, its rate and its largest burst") {
  const auto deltas = event_deltas(fallbacks({10, 15, 40, 41}), {});
  REQUIRE(deltas.has_value());
  CHECK(number_of(*deltas, "select_cpu_fallback") == 31);
  CHECK(deltas->fallback_rate.value() == doctest::Approx(31 / 0.3));
  CHECK(deltas->max_fallback_burst == 25);
}

TEST_CASE("a counter that the kernel lacks stays absent") {
  const auto deltas = event_deltas(fallbacks({10, 15}), {});
  CHECK_FALSE(number_of(*deltas, "dispatch_keep_last").has_value());
  CHECK_FALSE(deltas->keep_last_rate.has_value());
  CHECK_FALSE(number_of(*deltas, "sub_bypass_dispatch").has_value());
}

TEST_CASE("one reading has no rate and no burst") {
  const auto deltas = event_deltas(fallbacks({10}), {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 0);
  CHECK_FALSE(deltas->fallback_rate.has_value());
  CHECK_FALSE(deltas->max_fallback_burst.has_value());
}

TEST_CASE("a reset counts as nothing, and what follows it counts") {
  const auto deltas = event_deltas(fallbacks({1000, 1010, 5, 25}), {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 30);
  CHECK(deltas->max_fallback_burst == 20);
  CHECK(deltas->fallback_rate.value() == doctest::Approx(100.0));
}

TEST_CASE("samples without counters in between lose nothing") {
  const auto deltas = event_deltas(fallbacks({10, std::nullopt, 30}), {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 20);
  CHECK(deltas->fallback_rate.value() == doctest::Approx(100.0));
}

TEST_CASE("a new scheduler's counters began at zero") {
  auto samples = fallbacks({1000, 1010, 1200, 1210});
  samples[0].scheduler_instance = samples[1].scheduler_instance = 1;
  samples[2].scheduler_instance = samples[3].scheduler_instance = 2;
  const auto deltas = event_deltas(samples, {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 10 + 1200 + 10);
  CHECK(deltas->max_fallback_burst == 1200);
}

TEST_CASE("a scheduler that is loaded during the run counts from its first event") {
  auto samples = fallbacks({std::nullopt, std::nullopt, 8, 9});
  samples[2].scheduler_instance = samples[3].scheduler_instance = 1;
  const auto deltas = event_deltas(samples, {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 9);
  CHECK(deltas->fallback_rate.value() == doctest::Approx(9 / 0.3));
}

TEST_CASE("after a sample that could not tell which scheduler was loaded, none has begun at zero") {
  auto samples = fallbacks({std::nullopt, 2'000'000, 2'000'003});
  samples[0].scheduler_unknown = true;
  samples[1].scheduler_instance = samples[2].scheduler_instance = 1;
  const auto deltas = event_deltas(samples, {});
  CHECK(number_of(*deltas, "select_cpu_fallback") == 3);
  CHECK(deltas->max_fallback_burst == 3);
  CHECK(deltas->fallback_rate.value() == doctest::Approx(30.0));
}

TEST_CASE("without a scheduler before a sample that could not tell, the next one's counters began at zero") {
  auto samples = fallbacks({std::nullopt, std::nullopt, 8});
  samples[1].scheduler_unknown = true;
  samples[2].scheduler_instance = 1;
  CHECK(number_of(*event_deltas(samples, {}), "select_cpu_fallback") == 8);
}

TEST_CASE("each CPU's reset counts by itself") {
  const std::vector samples = {sample_at(0, {with_events(cpu(1, 1), 100), with_events(cpu(1, 1), 0)}),
                               sample_at(100, {with_events(cpu(1, 2), 1), with_events(cpu(1, 2), 500)})};
  CHECK(event_increase(samples[0], samples[1], "select_cpu_fallback") == 500);
}

TEST_CASE("a CPU without an earlier reading adds nothing") {
  const std::vector samples = {sample_at(0, {with_events(cpu(1, 1), 1)}),
                               sample_at(100, {with_events(cpu(1, 2), 3), with_events(cpu(1, 2), 500)})};
  CHECK(event_increase(samples[0], samples[1], "select_cpu_fallback") == 2);
}

TEST_CASE("every one of the thirteen counters reaches its own total") {
  auto samples = fallbacks({0, 1});
  auto& first = *samples[0].cpus[0].event_counters;
  auto& second = samples[1].cpus[0].event_counters.emplace();
  for (std::size_t i = 0; i < 13; ++i) {
    number_of(first, EventCounter(i)) = 0;
    number_of(second, EventCounter(i)) = static_cast<std::int64_t>(i) + 1;
  }
  const auto deltas = *event_deltas(samples, {});
  CHECK(number_of(deltas, "select_cpu_fallback") == 1);
  CHECK(number_of(deltas, "dispatch_local_dsq_offline") == 2);
  CHECK(number_of(deltas, "dispatch_keep_last") == 3);
  CHECK(number_of(deltas, "enq_skip_exiting") == 4);
  CHECK(number_of(deltas, "enq_skip_migration_disabled") == 5);
  CHECK(number_of(deltas, "reenq_immed") == 6);
  CHECK(number_of(deltas, "reenq_local_repeat") == 7);
  CHECK(number_of(deltas, "refill_slice_dfl") == 8);
  CHECK(number_of(deltas, "bypass_duration") == 9);
  CHECK(number_of(deltas, "bypass_dispatch") == 10);
  CHECK(number_of(deltas, "bypass_activate") == 11);
  CHECK(number_of(deltas, "insert_not_owned") == 12);
  CHECK(number_of(deltas, "sub_bypass_dispatch") == 13);
  CHECK(to_json(deltas).starts_with(
      R"({"total_fallback":1,"total_dispatch_offline":2,"total_dispatch_keep_last":3,)"
      R"("total_enq_skip_exiting":4,"total_enq_skip_migration_disabled":5,"total_reenq_immed":6,)"
      R"("total_reenq_local_repeat":7,"total_refill_slice_dfl":8,"total_bypass_duration":9,)"
      R"("total_bypass_dispatch":10,"total_bypass_activate":11,"total_insert_not_owned":12,)"
      R"("total_sub_bypass_dispatch":13,)"));
  CHECK(deltas.keep_last_rate.value() == doctest::Approx(30.0));
}

TEST_CASE("further counters are totalled under the kernel's names") {
  auto samples = fallbacks({0, 0});
  samples[0].cpus[0].event_counters->other = {5, 7};
  samples[1].cpus[0].event_counters->other = {6, 10};
  const std::vector<std::string> names = {"sub_rescue", "slice_denied", "not_in_this_kernel"};
  const auto deltas = *event_deltas(samples, names);
  CHECK(deltas.total_other == std::map<std::string, std::int64_t>{{"slice_denied", 3}, {"sub_rescue", 1}});
}

TEST_CASE("hostile counters saturate") {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(number_of(*event_deltas(fallbacks({kMin, kMax, kMin, kMax}), {}), "select_cpu_fallback") == kMax);
}

TEST_CASE("without schedstat there are no deltas") {
  CHECK_FALSE(schedstat_deltas({}).has_value());
  CHECK_FALSE(schedstat_deltas(std::vector{sample_at(0, {cpu(1, 1)})}).has_value());
}

TEST_CASE("schedstat grows from the first to the last sample, over all CPUs") {
  const std::vector samples = {
      sample_at(0, {with_stat({100, 1, 2, 3, 4, 5, 6}), with_stat({1000, 0, 0, 0, 0, 0, 0})}),
      sample_at(100, {cpu(1, 1)}),
      sample_at(500, {with_stat({200, 11, 22, 33, 44, 55, 66}), with_stat({1400, 1, 1, 1, 1, 1, 1})})};
  const auto deltas = *schedstat_deltas(samples);
  CHECK(deltas.total_run_delay == 500);
  CHECK(deltas.run_delay_rate == 1000.0);
  CHECK(deltas.total_pcount == 11);
  CHECK(deltas.total_yld_count == 21);
  CHECK(deltas.total_sched_count == 31);
  CHECK(deltas.sched_count_rate == 62.0);
  CHECK(deltas.total_sched_goidle == 41);
  CHECK(deltas.total_ttwu_count == 51);
  CHECK(deltas.total_ttwu_local == 61);
}

TEST_CASE("counters that did not count stay absent") {
  const std::vector samples = {sample_at(0, {with_stat({1, 1, {}, {}, {}, {}, {}})}),
                               sample_at(100, {with_stat({3, 2, {}, {}, {}, {}, {}})})};
  const auto deltas = *schedstat_deltas(samples);
  CHECK(deltas.total_run_delay == 2);
  CHECK_FALSE(deltas.total_sched_count.has_value());
  CHECK_FALSE(deltas.sched_count_rate.has_value());
  CHECK_FALSE(deltas.total_ttwu_local.has_value());
}

TEST_CASE("counters switched on during the run grow from there") {
  const std::vector samples = {sample_at(0, {with_stat({0, 0, {}, {}, {}, {}, {}})}),
                               sample_at(100, {with_stat({0, 0, 0, 50, 0, 0, 0})}),
                               sample_at(300, {with_stat({0, 0, 0, 70, 0, 0, 0})})};
  const auto deltas = *schedstat_deltas(samples);
  CHECK(deltas.total_sched_count == 20);
  CHECK(deltas.sched_count_rate == 100.0);
}

TEST_CASE("a shrinking counter of one CPU hides nothing of another's") {
  const std::vector samples = {
      sample_at(0, {with_stat({900, 9, {}, {}, {}, {}, {}}), with_stat({1, 1, {}, {}, {}, {}, {}})}),
      sample_at(100, {with_stat({5, 0, {}, {}, {}, {}, {}}), with_stat({6, 3, {}, {}, {}, {}, {}})})};
  CHECK(schedstat_deltas(samples)->total_run_delay == 5);
  CHECK(schedstat_deltas(samples)->total_pcount == 2);
}

TEST_CASE("a single sample has growth of zero and no rate") {
  const auto deltas = *schedstat_deltas(std::vector{sample_at(100, {with_stat({7, 7, 7, 7, 7, 7, 7})})});
  CHECK(deltas.total_run_delay == 0);
  CHECK_FALSE(deltas.run_delay_rate.has_value());
}

}  // namespace ktstr::introspect
