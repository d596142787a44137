#include "introspect/monitor/sample.h"

#include <algorithm>

#include "introspect/monitor/counter.h"

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

std::optional<std::int64_t> count_of(const CpuSnapshot& cpu, EventCounter counter) {
  if (!cpu.event_counters) return std::nullopt;
  if (counter.index < kKnownEvents.size()) return number_of(*cpu.event_counters, counter);
  const auto& others = cpu.event_counters->other;
  const std::size_t other = counter.index - kKnownEvents.size();
  return other < others.size() ? std::optional(others[other]) : std::nullopt;
}

std::optional<std::int64_t> event_increase(const MonitorSample& before, const MonitorSample& now,
                                           EventCounter counter) {
  if (before.scheduler_unknown || now.scheduler_unknown) return std::nullopt;
  const bool restarted = before.scheduler_instance != now.scheduler_instance;
  std::optional<std::int64_t> total;
  for (std::size_t cpu = 0; cpu < now.cpus.size(); ++cpu) {
    const auto last = count_of(now.cpus[cpu], counter);
    std::optional<std::int64_t> first;
    if (restarted)
      first = 0;
    else if (cpu < before.cpus.size())
      first = count_of(before.cpus[cpu], counter);
    if (last && first) total = saturating_add(total.value_or(0), counter_delta(*last, *first));
  }
  return total;
}

bool has_events(const MonitorSample& sample) {
  return std::ranges::any_of(sample.cpus, [](const auto& cpu) { return cpu.event_counters.has_value(); });
}

}  // namespace ktstr::introspect
