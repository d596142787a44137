#include "introspect/bpf/prog_info.h"

#include <fmt/format.h>

namespace ktstr::introspect {

std::optional<double> ProgRuntimeStats::ns_per_call() const {
  if (!cnt || !nsecs || *cnt == 0) return std::nullopt;
  return static_cast<double>(*nsecs) / static_cast<double>(*cnt);
}

std::optional<double> ProgRuntimeStats::miss_rate() const {
  if (!cnt || !misses) return std::nullopt;
  const double calls = static_cast<double>(*cnt) + static_cast<double>(*misses);
  if (calls == 0) return std::nullopt;
  return static_cast<double>(*misses) / calls;
}

std::string ProgRuntimeStats::to_text() const {
  if (!misses) return name + ": unreadable";
  if (!cnt || !nsecs)
    return fmt::format("{}: misses={} (calls are not counted: kernel.bpf_stats_enabled is 0)", name, *misses);
  std::string text = fmt::format("{}: cnt={} nsecs={} misses={}", name, *cnt, *nsecs, *misses);
  if (const auto cost = ns_per_call()) text += fmt::format(" ns/call={:.3f}", *cost);
  if (*misses > 0) text += fmt::format(" miss_rate={:.4f}", miss_rate().value_or(0));
  return text;
}

}  // namespace ktstr::introspect
