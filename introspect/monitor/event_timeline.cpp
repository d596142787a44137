#include "introspect/monitor/event_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "introspect/monitor/sparkline.h"

namespace ktstr::introspect {
namespace {

using Total = std::optional<std::int64_t> EventCounterSample::*;
using Counter = std::optional<std::int64_t> ScxEventCounters::*;

template <class Record, class Member, class Visitor>
void for_each_counter(Visitor&& visit) {
  for_each_field<Record>([&](const auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field.member)>, Member>)
      visit(field.name, field.member);
  });
}

/// The counters under the names that both structures give them.
struct Pair {
  Total total;
  Counter counter;
};
std::vector<Pair> pairs() {
  std::vector<Pair> pairs;
  for_each_counter<EventCounterSample, Total>([&](std::string_view total_name, Total total) {
    for_each_counter<ScxEventCounters, Counter>([&](std::string_view name, Counter counter) {
      if (name == total_name) pairs.push_back({total, counter});
    });
  });
  return pairs;
}

/// The last of each of at most `width` equal parts.
std::vector<std::int64_t> thinned(const std::vector<std::int64_t>& values, std::size_t width) {
  if (values.size() <= width) return values;
  std::vector<std::int64_t> parts;
  for (std::size_t part = 1; part <= width; ++part) parts.push_back(values[part * values.size() / width - 1]);
  return parts;
}

std::string row(std::string_view name, const std::vector<std::int64_t>& values, std::size_t width) {
  return fmt::format("{:<28}{} {} -> {}\n", name,
                     render_sparkline(std::span<const std::int64_t>(thinned(values, width))), values.front(),
                     values.back());
}

}  // namespace

std::optional<EventCounterSample> EventCounterSample::from_monitor_sample(const MonitorSample& sample) {
  const auto counted = [](const CpuSnapshot& cpu) { return cpu.event_counters.has_value(); };
  if (std::ranges::none_of(sample.cpus, counted)) return std::nullopt;
  static const auto kPairs = pairs();
  EventCounterSample totals;
  totals.elapsed_ms = sample.elapsed_ms;
  totals.scheduler_instance = sample.scheduler_instance;
  for (const auto& [total, counter] : kPairs) totals.*total = sample.sum_event(counter);
  return totals;
}

std::vector<EventCounterSample> event_timeline(const SampleSeries& samples) {
  std::vector<EventCounterSample> timeline;
  for (const MonitorSample& sample : samples)
    if (auto totals = EventCounterSample::from_monitor_sample(sample)) timeline.push_back(std::move(*totals));
  return timeline;
}

std::string render_event_timeline(std::span<const EventCounterSample> timeline, std::size_t width) {
  std::string text;
  for_each_counter<EventCounterSample, Total>([&](std::string_view name, Total total) {
    std::vector<std::int64_t> values;
    for (const EventCounterSample& sample : timeline)
      if (sample.*total) values.push_back(*(sample.*total));
    if (std::ranges::any_of(values, [](std::int64_t value) { return value > 0; }))
      text += row(name, values, width);
  });
  return text;
}

}  // namespace ktstr::introspect
