#include "introspect/monitor/plausible.h"

#include <algorithm>

namespace ktstr::introspect {

bool is_plausible(const MonitorSample& sample) {
  return std::ranges::all_of(sample.cpus, [](const CpuSnapshot& cpu) {
    return cpu.offline || cpu.local_dsq_depth.value_or(0) <= kDsqPlausibilityCeiling;
  });
}

void PlausibilityWatch::add(const MonitorSample& sample) {
  all_plausible_ = all_plausible_ && is_plausible(sample);
  for (const auto& cpu : sample.cpus) {
    if (cpu.offline) continue;
    if (readings_++ == 0) first_clock_ = cpu.rq_clock;
    clocks_differ_ = clocks_differ_ || cpu.rq_clock != first_clock_;
  }
}

}  // namespace ktstr::introspect
