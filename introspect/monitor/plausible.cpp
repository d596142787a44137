#include "introspect/monitor/plausible.h"

#include <algorithm>

namespace ktstr::introspect {
namespace {

bool clocks_all_identical(std::span<const MonitorSample> samples) {
  std::size_t readings = 0;
  std::uint64_t first = 0;
  for (const auto& sample : samples) {
    for (const auto& cpu : sample.cpus) {
      if (cpu.offline) continue;
      if (readings++ == 0) first = cpu.rq_clock;
      if (cpu.rq_clock != first) return false;
    }
  }
  return readings > 1;
}

}  // namespace

bool is_plausible(const MonitorSample& sample) {
  return std::ranges::all_of(sample.cpus, [](const CpuSnapshot& cpu) {
    return cpu.offline || cpu.local_dsq_depth.value_or(0) <= kDsqPlausibilityCeiling;
  });
}

bool are_plausible(std::span<const MonitorSample> samples) {
  return std::ranges::all_of(samples, is_plausible) && !clocks_all_identical(samples);
}

}  // namespace ktstr::introspect
