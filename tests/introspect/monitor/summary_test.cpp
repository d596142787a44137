#include "introspect/monitor/summary.h"

#include <doctest/doctest.h>

#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;
}  // namespace

TEST_CASE("no samples give no numbers") {
  const auto summary = summarize({}, kThreshold);
  CHECK(summary.total_samples == 0);
  CHECK_FALSE(summary.max_imbalance_ratio.has_value());
  CHECK_FALSE(summary.max_local_dsq_depth.has_value());
  CHECK_FALSE(summary.stall_detected.has_value());
  CHECK_FALSE(summary.avg_imbalance_ratio.has_value());
  CHECK_FALSE(summary.avg_nr_running.has_value());
  CHECK_FALSE(summary.avg_local_dsq_depth.has_value());
  CHECK_FALSE(summary.event_deltas.has_value());
  CHECK_FALSE(summary.schedstat_deltas.has_value());
}

TEST_CASE("peaks and means over CPUs and samples") {
  const std::vector samples = {sample_at(0, {cpu(1, 1, 0), cpu(3, 1, 4)}),
                               sample_at(100, {cpu(2, 2, 8), cpu(2, 2, 0)})};
  const auto summary = summarize(samples, kThreshold);
  CHECK(summary.total_samples == 2);
  CHECK(summary.max_imbalance_ratio == 3.0);
  CHECK(summary.avg_imbalance_ratio == 2.0);
  CHECK(summary.max_local_dsq_depth == 8);
  CHECK(summary.avg_local_dsq_depth == 3.0);
  CHECK(summary.avg_nr_running == 2.0);
  CHECK(summary.stall_detected == false);
}

TEST_CASE("the largest imbalance ratio is at least 1, an idle machine's mean is 0") {
  const auto summary = summarize(std::vector{sample_at(0, {cpu(0, 1), cpu(0, 2)})}, kThreshold);
  CHECK(summary.max_imbalance_ratio == 1.0);
  CHECK(summary.avg_imbalance_ratio == 0.0);
}

TEST_CASE("empty and implausible samples count in the total only") {
  const std::vector samples = {sample_at(0, {}), sample_at(100, {cpu(100, 1, 10'001)}),
                               sample_at(200, {cpu(2, 1, 3)})};
  const auto summary = summarize(samples, kThreshold);
  CHECK(summary.total_samples == 3);
  CHECK(summary.max_local_dsq_depth == 3);
  CHECK(summary.avg_nr_running == 2.0);
  CHECK_FALSE(summary.stall_detected.has_value());
}

TEST_CASE("a kernel without sched_ext has no DSQ depth") {
  auto fair = cpu(1, 1);
  fair.local_dsq_depth.reset();
  const auto summary = summarize(std::vector{sample_at(0, {fair})}, kThreshold);
  CHECK_FALSE(summary.max_local_dsq_depth.has_value());
  CHECK_FALSE(summary.avg_local_dsq_depth.has_value());
  CHECK(summary.avg_nr_running == 1.0);
}

TEST_CASE("one stalled sample of one CPU is a stall, an implausible sample between does not hide it") {
  const std::vector samples = {sample_at(0, {cpu(1, 1), cpu(1, 9)}),
                               sample_at(100, {cpu(1, 2, 20'000), cpu(1, 10)}),
                               sample_at(200, {cpu(1, 3), cpu(1, 9)})};
  CHECK(summarize(samples, kThreshold).stall_detected == true);
  CHECK_FALSE(summarize(samples, 300'000'000).stall_detected.has_value());
}

TEST_CASE("a CPU that is offline is in no mean and no peak, and makes no imbalance") {
  const auto samples = series(3, [](std::size_t i) {
    return std::vector{cpu(4, 100 * (i + 1), 2), cpu(2, 100 * (i + 1), 2), offline(cpu(0, 7, 9))};
  });
  const auto summary = summarize(samples, kThreshold);
  CHECK(summary.max_imbalance_ratio == doctest::Approx(2));
  CHECK(summary.avg_nr_running == doctest::Approx(3));
  CHECK(summary.max_local_dsq_depth == 2U);
  CHECK(summary.avg_local_dsq_depth == doctest::Approx(2));
}

}  // namespace ktstr::introspect
