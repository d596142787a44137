#include "introspect/monitor/sample.h"

#include <algorithm>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/increase.h"

namespace ktstr::introspect {

MonitorSample MonitorSample::at(Duration elapsed) {
  MonitorSample sample;
  sample.elapsed_ns = elapsed.ns > 0 ? static_cast<std::uint64_t>(elapsed.ns) : 0;
  sample.elapsed_ms = sample.elapsed_ns / 1'000'000;
  return sample;
}

double MonitorSample::imbalance_ratio() const {
  std::optional<std::uint32_t> least, most;
  for (const auto& cpu : cpus) {
    if (cpu.offline.value_or(false)) continue;
    least = std::min(least.value_or(cpu.nr_running), cpu.nr_running);
    most = std::max(most.value_or(cpu.nr_running), cpu.nr_running);
  }
  return most ? static_cast<double>(*most) / std::max(1U, *least) : 1.0;
}

std::optional<std::int64_t> MonitorSample::sum_event(EventCounter counter) const {
  std::optional<std::int64_t> total;
  for (const auto& cpu : cpus)
    if (const auto count = count_of(cpu, counter)) total = saturating_add(total.value_or(0), *count);
  return total;
}

}  // namespace ktstr::introspect
