#include "introspect/monitor/plausible.h"

#include <doctest/doctest.h>

#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

bool are_plausible(const std::vector<MonitorSample>& samples) {
  PlausibilityWatch watch;
  for (const auto& sample : samples) watch.add(sample);
  return watch.are_plausible();
}
}  // namespace

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
