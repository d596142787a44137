#include "introspect/monitor/event_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {
namespace {

constexpr std::array<std::string_view, 8> kGlyphs = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/// The glyph for `above` of `range`. The product of two 64-bit numbers needs 128 bits.
std::size_t glyph_index(std::uint64_t above, std::uint64_t range) {
  return static_cast<std::size_t>(static_cast<unsigned __int128>(above) * (kGlyphs.size() - 1) / range);
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

std::string render_sparkline(std::span<const std::uint64_t> values) {
  std::string line;
  if (values.empty()) return line;
  const auto [least, greatest] = std::ranges::minmax(values);
  for (const std::uint64_t value : values) {
    const std::size_t flat = greatest == 0 ? 0 : kGlyphs.size() / 2;
    line += kGlyphs[least == greatest ? flat : glyph_index(value - least, greatest - least)];
  }
  return line;
}

std::string render_sparkline(std::span<const std::int64_t> values) {
  std::vector<std::uint64_t> clamped;
  clamped.reserve(values.size());
  for (const std::int64_t value : values)
    clamped.push_back(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
  return render_sparkline(std::span<const std::uint64_t>(clamped));
}

std::optional<EventCounterSample> event_totals(const MonitorSample& sample,
                                               std::span<const std::string> other_event_names) {
  if (!has_events(sample)) return std::nullopt;
  EventCounterSample totals;
  totals.elapsed_ms = sample.elapsed_ms;
  totals.scheduler_instance = sample.scheduler_instance;
  for (std::size_t i = 0; i < kKnownEvents.size(); ++i)
    number_of(totals, EventCounter(i)) = sample.sum_event(EventCounter(i));
  if (!other_event_names.empty()) totals.other.emplace();
  for (std::size_t i = 0; i < other_event_names.size(); ++i)
    if (const auto total = sample.sum_event(EventCounter(kKnownEvents.size() + i)))
      totals.other->emplace(other_event_names[i], *total);
  return totals;
}

std::vector<EventCounterSample> event_timeline(const SampleSeries& samples,
                                               std::span<const std::string> other_event_names) {
  std::vector<EventCounterSample> timeline;
  for (const MonitorSample& sample : samples)
    if (auto totals = event_totals(sample, other_event_names)) timeline.push_back(std::move(*totals));
  return timeline;
}

std::string render_event_timeline(std::span<const EventCounterSample> timeline, std::size_t width) {
  std::array<std::vector<std::int64_t>, kKnownEvents.size()> known;
  std::map<std::string_view, std::vector<std::int64_t>> others;
  for (const EventCounterSample& sample : timeline) {
    for (std::size_t i = 0; i < known.size(); ++i)
      if (const auto& total = number_of(sample, EventCounter(i))) known[i].push_back(*total);
    if (!sample.other) continue;
    for (const auto& [name, total] : *sample.other) others[name].push_back(total);
  }
  std::string text;
  const auto add_row = [&](std::string_view name, const std::vector<std::int64_t>& values) {
    if (std::ranges::any_of(values, [](std::int64_t value) { return value > 0; }))
      text += row(name, values, width);
  };
  for (std::size_t i = 0; i < known.size(); ++i) add_row(kKnownEvents[i].name, known[i]);
  for (const auto& [name, values] : others) add_row(name, values);
  return text;
}

}  // namespace ktstr::introspect
