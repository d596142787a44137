#include <algorithm>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/summary.h"

namespace ktstr::introspect {
namespace {

/// A counter's growth over the series and the time it took.
struct Growth {
  std::uint64_t total = 0;
  std::uint64_t window_ns = 0;

  [[nodiscard]] std::optional<double> rate() const {
    return rate_per_second(static_cast<double>(total), window_ns);
  }
};

/// Growth from the first to the last sample in which a CPU has the counter, by CPU; absent when none has.
/// `read`: optional<uint64_t>(const RqSchedstat&).
template <class Read>
std::optional<Growth> growth(std::span<const MonitorSample> samples, Read read) {
  const auto value = [&](const CpuSnapshot& cpu) -> std::optional<std::uint64_t> {
    return cpu.schedstat ? read(*cpu.schedstat) : std::nullopt;
  };
  const MonitorSample* first = nullptr;
  const MonitorSample* last = nullptr;
  for (const auto& sample : samples) {
    if (std::ranges::none_of(sample.cpus, [&](const auto& cpu) { return value(cpu).has_value(); })) continue;
    if (!first) first = &sample;
    last = &sample;
  }
  if (!first) return std::nullopt;
  Growth result{0, counter_delta(last->elapsed_ns, first->elapsed_ns)};
  for (std::size_t cpu = 0; cpu < std::min(first->cpus.size(), last->cpus.size()); ++cpu) {
    const auto from = value(first->cpus[cpu]);
    const auto to = value(last->cpus[cpu]);
    if (from && to) result.total = saturating_add(result.total, counter_delta(*to, *from));
  }
  return result;
}

std::optional<Growth> growth(std::span<const MonitorSample> samples, std::uint64_t RqSchedstat::*counter) {
  return growth(samples, [=](const RqSchedstat& stat) { return std::optional(stat.*counter); });
}

std::optional<Growth> growth(std::span<const MonitorSample> samples,
                             std::optional<std::uint32_t> RqSchedstat::*counter) {
  return growth(samples, [=](const RqSchedstat& stat) {
    return stat.*counter ? std::optional<std::uint64_t>(*(stat.*counter)) : std::nullopt;
  });
}

std::optional<std::uint64_t> total_of(const std::optional<Growth>& growth) {
  return growth ? std::optional(growth->total) : std::nullopt;
}

}  // namespace

std::optional<SchedstatDeltas> schedstat_deltas(std::span<const MonitorSample> samples) {
  const auto run_delay = growth(samples, &RqSchedstat::run_delay);
  const auto pcount = growth(samples, &RqSchedstat::pcount);
  if (!run_delay || !pcount) return std::nullopt;
  const auto sched_count = growth(samples, &RqSchedstat::sched_count);

  SchedstatDeltas deltas;
  deltas.total_run_delay = run_delay->total;
  deltas.run_delay_rate = run_delay->rate();
  deltas.total_pcount = pcount->total;
  deltas.total_sched_count = total_of(sched_count);
  deltas.sched_count_rate = sched_count ? sched_count->rate() : std::nullopt;
  deltas.total_yld_count = total_of(growth(samples, &RqSchedstat::yld_count));
  deltas.total_sched_goidle = total_of(growth(samples, &RqSchedstat::sched_goidle));
  deltas.total_ttwu_count = total_of(growth(samples, &RqSchedstat::ttwu_count));
  deltas.total_ttwu_local = total_of(growth(samples, &RqSchedstat::ttwu_local));
  return deltas;
}

}  // namespace ktstr::introspect
