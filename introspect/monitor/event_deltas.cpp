#include <algorithm>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/increase.h"
#include "introspect/monitor/summary.h"

namespace ktstr::introspect {
namespace {

struct TotalOf {
  std::optional<std::int64_t> ScxEventDeltas::*total;
  std::optional<std::int64_t> ScxEventCounters::*counter;
};

constexpr TotalOf kTotals[] = {
    {&ScxEventDeltas::total_fallback, &ScxEventCounters::select_cpu_fallback},
    {&ScxEventDeltas::total_dispatch_offline, &ScxEventCounters::dispatch_local_dsq_offline},
    {&ScxEventDeltas::total_dispatch_keep_last, &ScxEventCounters::dispatch_keep_last},
    {&ScxEventDeltas::total_enq_skip_exiting, &ScxEventCounters::enq_skip_exiting},
    {&ScxEventDeltas::total_enq_skip_migration_disabled, &ScxEventCounters::enq_skip_migration_disabled},
    {&ScxEventDeltas::total_reenq_immed, &ScxEventCounters::reenq_immed},
    {&ScxEventDeltas::total_reenq_local_repeat, &ScxEventCounters::reenq_local_repeat},
    {&ScxEventDeltas::total_refill_slice_dfl, &ScxEventCounters::refill_slice_dfl},
    {&ScxEventDeltas::total_bypass_duration, &ScxEventCounters::bypass_duration},
    {&ScxEventDeltas::total_bypass_dispatch, &ScxEventCounters::bypass_dispatch},
    {&ScxEventDeltas::total_bypass_activate, &ScxEventCounters::bypass_activate},
    {&ScxEventDeltas::total_insert_not_owned, &ScxEventCounters::insert_not_owned},
    {&ScxEventDeltas::total_sub_bypass_dispatch, &ScxEventCounters::sub_bypass_dispatch},
};

bool ever_counted(std::span<const MonitorSample> samples, EventCounter counter) {
  return std::ranges::any_of(samples, [&](const MonitorSample& sample) {
    return std::ranges::any_of(sample.cpus,
                               [&](const CpuSnapshot& cpu) { return counter.of(cpu).has_value(); });
  });
}

/// Sum of the increases, 0 for a counter with one reading, absent for one with none.
std::optional<std::int64_t> total_increase(std::span<const MonitorSample> samples,
                                           std::span<const SamplePair> pairs, EventCounter counter) {
  if (!ever_counted(samples, counter)) return std::nullopt;
  std::int64_t total = 0;
  for (const auto& [before, now] : pairs)
    total = saturating_add(total, event_increase(*before, *now, counter).value_or(0));
  return total;
}

/// From the first reading that increases are counted from to the last, ns.
std::uint64_t window_ns(std::span<const SamplePair> pairs, EventCounter counter) {
  const auto counted = [&](const SamplePair& pair) {
    return event_increase(*pair.first, *pair.second, counter).has_value();
  };
  const auto first = std::ranges::find_if(pairs, counted);
  if (first == pairs.end()) return 0;
  return counter_delta(pairs.back().second->elapsed_ns, first->first->elapsed_ns);
}

std::optional<double> total_rate(std::optional<std::int64_t> total, std::uint64_t interval_ns) {
  return total ? rate_per_second(static_cast<double>(*total), interval_ns) : std::nullopt;
}

}  // namespace

std::optional<ScxEventDeltas> event_deltas(std::span<const MonitorSample> samples,
                                           std::span<const std::string> other_event_names) {
  const bool any_events = std::ranges::any_of(samples, [](const MonitorSample& sample) {
    return std::ranges::any_of(sample.cpus,
                               [](const CpuSnapshot& cpu) { return cpu.event_counters.has_value(); });
  });
  if (!any_events) return std::nullopt;

  const auto pairs = event_pairs(samples);
  ScxEventDeltas deltas;
  for (const auto& [total, counter] : kTotals)
    deltas.*total = total_increase(samples, pairs, EventCounter{counter});
  for (std::size_t i = 0; i < other_event_names.size(); ++i)
    if (const auto total = total_increase(samples, pairs, EventCounter{nullptr, i}))
      deltas.total_other.emplace(other_event_names[i], *total);

  const EventCounter fallback{&ScxEventCounters::select_cpu_fallback};
  deltas.fallback_rate = total_rate(deltas.total_fallback, window_ns(pairs, fallback));
  deltas.keep_last_rate = total_rate(deltas.total_dispatch_keep_last,
                                     window_ns(pairs, EventCounter{&ScxEventCounters::dispatch_keep_last}));
  for (const auto& [before, now] : pairs)
    if (const auto burst = event_increase(*before, *now, fallback))
      deltas.max_fallback_burst = std::max(deltas.max_fallback_burst.value_or(0), *burst);
  return deltas;
}

}  // namespace ktstr::introspect
