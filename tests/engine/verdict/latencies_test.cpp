#include "engine/verdict/latencies.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/verdict/histogram_of.h"

using namespace ktstr::engine;
using ktstr::engine::protocol::WorkerReport;
using ktstr::engine::testing::count_latencies;

namespace {

WorkerReport with(const std::vector<std::uint64_t>& latencies_ns) {
  WorkerReport report;
  count_latencies(report, latencies_ns);
  return report;
}

}  // namespace

TEST_CASE("percentiles are the nearest rank's") {
  std::vector<std::uint64_t> hundred;
  for (std::uint64_t i = 100; i >= 1; --i) hundred.push_back(i * 1'000);
  const auto report = with(hundred);
  for (const auto& [percent, exact] :
       {std::pair{50.0, 50'000.0}, {99.0, 99'000.0}, {1.0, 1'000.0}, {0.1, 1'000.0}}) {
    const auto found = static_cast<double>(*wake_percentile(report, percent));
    CHECK(found >= exact);
    CHECK(found <= exact * 33 / 32);
  }
  CHECK(wake_percentile(report, 100) == 100'000);
}

TEST_CASE("no percentile is above the longest latency") {
  CHECK(wake_percentile(with({250'000}), 99) == 250'000);
  CHECK(wake_percentile(with({50'000, 250'000}), 99) == 250'000);
}

TEST_CASE(
    "without wake-ups there is no percentile, and lists of unlike length are no more than the shorter one") {
  CHECK_FALSE(wake_percentile(WorkerReport{}, 99));
  CHECK_FALSE(wake_latency_cv(WorkerReport{}));
  CHECK(list_wake_latencies(WorkerReport{}, 10).empty());
  WorkerReport hostile;
  hostile.wake_histogram = {{10, 20, 30}, {1}};
  CHECK(wake_percentile(hostile, 99) == 10);
  hostile.wake_histogram = {{10}, {~std::uint64_t{0}, 5}};
  CHECK(wake_percentile(hostile, 99) == 10);
  CHECK(list_wake_latencies(hostile, 3) == std::vector<std::uint64_t>{10, 10, 10});
}

TEST_CASE("latencies vary by their deviation over their mean") {
  CHECK(*wake_latency_cv(with({50'000, 50'000, 50'000, 250'000})) == doctest::Approx(0.866).epsilon(0.02));
  CHECK(*wake_latency_cv(with({7, 7})) == 0);
  CHECK_FALSE(wake_latency_cv(with({7})));
}

TEST_CASE("a list of latencies is spread evenly by rank") {
  std::vector<std::uint64_t> hundred;
  for (std::uint64_t i = 1; i <= 100; ++i) hundred.push_back(i);
  const auto all = list_wake_latencies(with({3, 1, 2, 2}), 1000);
  CHECK(all == std::vector<std::uint64_t>{1, 2, 2, 3});
  const auto ten = list_wake_latencies(with(hundred), 10);
  REQUIRE(ten.size() == 10);
  CHECK(std::ranges::is_sorted(ten));
  CHECK(ten[0] == 6);
  CHECK(ten[9] >= 96);
}
