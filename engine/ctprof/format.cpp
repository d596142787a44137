#include "engine/ctprof/texts.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

struct Step {
  double size;
  const char* unit;
};
constexpr Step kTimes[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
constexpr Step kSizes[] = {
    {1099511627776.0, "TiB"}, {1073741824.0, "GiB"}, {1048576.0, "MiB"}, {1024.0, "KiB"}};
constexpr Step kCounts[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}};

std::string scaled(double value, std::span<const Step> steps, std::string_view smallest) {
  const double size = std::abs(value);
  for (const auto& step : steps)
    if (size >= step.size)
      return fmt::format("{:.{}f}{}", value / step.size, size >= step.size * 100 ? 0 : 1, step.unit);
  return fmt::format("{:.{}f}{}", value, value == std::floor(value) ? 0 : 1, smallest);
}

std::string text_of(std::monostate, std::string_view) {
  return std::string(kAbsent);
}
std::string text_of(const Total& total, std::string_view unit) {
  return format_number(static_cast<double>(total.value), unit);
}
std::string text_of(const Most& most, std::string_view unit) {
  return format_number(static_cast<double>(most.value), unit);
}
std::string text_of(const Derived& derived, std::string_view unit) {
  return format_number(derived.value, unit);
}
std::string text_of(const Range& range, std::string_view) {
  if (range.lowest == range.highest) return std::to_string(range.lowest);
  return fmt::format("{}..{}", range.lowest, range.highest);
}
std::string text_of(const Mode& mode, std::string_view) {
  if (mode.count == mode.of) return mode.value;
  return fmt::format("{} ({}/{})", mode.value, mode.count, mode.of);
}
std::string text_of(const AffinityUnion& affinity, std::string_view) {
  if (affinity.uniform) return fmt::format("{} ({} cpus)", affinity.cpus, affinity.most);
  return fmt::format("{} (mixed, {}..{} cpus)", affinity.cpus, affinity.fewest, affinity.most);
}

}  // namespace

std::string format_number(double value, std::string_view unit) {
  constexpr double kTicksPerSecond = 100;  // USER_HZ
  if (unit == "ns") return scaled(value, kTimes, "ns");
  if (unit == "us") return value == 0 ? "0us" : scaled(value * 1000, kTimes, "ns");
  if (unit == "percent/100") return fmt::format("{:.2f}%", value / 100);
  if (unit == "bytes") return scaled(value, kSizes, "B");
  if (unit == "ticks") return fmt::format("{:.2f}s", value / kTicksPerSecond);
  if (unit == "ratio") return fmt::format("{:.3f}", value);
  return scaled(value, kCounts, "");
}

std::string format_aggregate(const Aggregate& aggregate, std::string_view unit) {
  return std::visit([&](const auto& value) { return text_of(value, unit); }, aggregate);
}

std::string format_relative(const std::optional<double>& relative) {
  if (!relative) return "";
  if (std::isinf(*relative)) return "new";
  return fmt::format("{:+.1f}%", *relative * 100);
}

}  // namespace ktstr::engine
