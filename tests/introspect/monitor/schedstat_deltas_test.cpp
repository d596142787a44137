#include <doctest/doctest.h>

#include "introspect/monitor/summary.h"
#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

CpuSnapshot with_stat(RqSchedstat stat) {
  auto snapshot = cpu(1, 1);
  snapshot.schedstat = stat;
  return snapshot;
}

}  // namespace

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
