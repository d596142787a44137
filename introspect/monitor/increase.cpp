#include "introspect/monitor/increase.h"

#include <algorithm>

#include "introspect/monitor/counter.h"

namespace ktstr::introspect {

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

const MonitorSample* EventHistory::before(const MonitorSample& now) const {
  return before_ && has_events(now) ? &*before_ : nullptr;
}

void EventHistory::add(const MonitorSample& now) {
  if (now.cpus.empty()) return;
  if (has_events(now) || (!before_ && !now.scheduler_unknown)) before_ = now;
}

}  // namespace ktstr::introspect
