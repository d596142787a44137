#include "introspect/monitor/event_timeline.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace ktstr::introspect {
namespace {

MonitorSample sample(std::uint64_t elapsed_ms, std::vector<std::optional<std::int64_t>> fallbacks) {
  MonitorSample sample = MonitorSample::at(std::chrono::milliseconds(elapsed_ms));
  sample.scheduler_instance = 1;
  for (const auto& fallback : fallbacks) {
    CpuSnapshot cpu;
    if (fallback) number_of(cpu.event_counters.emplace(), "select_cpu_fallback") = *fallback;
    sample.cpus.push_back(cpu);
  }
  return sample;
}

}  // namespace

TEST_CASE("counters are summed over the CPUs that have them") {
  const auto totals = event_totals(sample(30, {3, std::nullopt, 4}));
  REQUIRE(totals.has_value());
  CHECK(totals->elapsed_ms == 30);
  CHECK(number_of(*totals, "select_cpu_fallback") == 7);
  CHECK(totals->scheduler_instance == 1);
  CHECK_FALSE(number_of(*totals, "bypass_duration").has_value());
}

TEST_CASE("sums saturate") {
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(number_of(*event_totals(sample(0, {most, 1})), "select_cpu_fallback") == most);
}

TEST_CASE("every counter of the kernel's has its total") {
  MonitorSample all = sample(0, {0});
  ScxEventCounters& counters = *all.cpus[0].event_counters;
  std::int64_t next = 0;
  for_each_field<ScxEventCounters>([&](const auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(counters.*field.member)>,
                                 std::optional<std::int64_t>>)
      counters.*field.member = ++next;
  });
  const auto totals = event_totals(all);
  CHECK(next == 13);
  CHECK(number_of(*totals, "select_cpu_fallback") == 1);
  CHECK(number_of(*totals, "reenq_local_repeat") == number_of(counters, "reenq_local_repeat"));
  CHECK(number_of(*totals, "bypass_duration") == number_of(counters, "bypass_duration"));
  CHECK(number_of(*totals, "sub_bypass_dispatch") == 13);
}

TEST_CASE("a counter that nobody knows is summed and shown under the kernel's name") {
  const std::vector<std::string> names = {"new_thing", "not_in_this_kernel"};
  std::vector samples{sample(0, {0, 0}), sample(10, {0, 0})};
  samples[0].cpus[0].event_counters->other = {1};
  samples[1].cpus[0].event_counters->other = {3};
  samples[1].cpus[1].event_counters->other = {4};
  const auto timeline = event_timeline(samples, names);
  CHECK(timeline[1].other == std::map<std::string, std::int64_t>{{"new_thing", 7}});
  CHECK(render_event_timeline(timeline) == "new_thing                   ▁█ 1 -> 7\n");
  CHECK_FALSE(event_timeline(samples)[1].other.has_value());
}

TEST_CASE("a sample without counters makes no row") {
  CHECK_FALSE(event_totals(sample(0, {std::nullopt})).has_value());
  const std::vector samples{sample(0, {std::nullopt}), sample(10, {1}), sample(20, {})};
  CHECK(event_timeline(samples).size() == 1);
}

TEST_CASE("a counter that counted has a line with its first and last value, others have none") {
  const std::vector samples{sample(0, {0}), sample(10, {7}), sample(20, {14})};
  CHECK(render_event_timeline(event_timeline(samples)) == "select_cpu_fallback         ▁▄█ 0 -> 14\n");
  CHECK(render_event_timeline(event_timeline(std::vector{sample(0, {0})})).empty());
}

TEST_CASE("a long timeline is thinned to the width and ends with its last value") {
  std::vector<MonitorSample> samples;
  for (std::int64_t i = 0; i < 100; ++i) samples.push_back(sample(0, {i}));
  CHECK(render_event_timeline(event_timeline(samples), 2) == "select_cpu_fallback         ▁█ 0 -> 99\n");
}

TEST_CASE("values are scaled from the least to the greatest") {
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}) == "▁▂▃▄▅▆▇█");
  CHECK(render_sparkline(std::vector<std::uint64_t>{1000, 1007}) == "▁█");
}

TEST_CASE("a series without variation is flat: zeros low, anything else in the middle") {
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, 0}) == "▁▁");
  CHECK(render_sparkline(std::vector<std::uint64_t>{9, 9, 9}) == "▅▅▅");
  CHECK(render_sparkline(std::vector<std::uint64_t>{}).empty());
}

TEST_CASE("the greatest numbers do not overflow") {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(render_sparkline(std::vector<std::uint64_t>{0, most / 2, most}) == "▁▄█");
}

TEST_CASE("a negative value counts as 0") {
  CHECK(render_sparkline(std::vector<std::int64_t>{-5, 0, 7}) == "▁▁█");
}

}  // namespace ktstr::introspect
