#include <algorithm>
#include <vector>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/increase.h"
#include "introspect/monitor/summary.h"

namespace ktstr::introspect {
namespace {

/// What one counter grew by over a series.
class CounterGrowth {
 public:
  explicit CounterGrowth(EventCounter counter) : counter_(counter) {}

  void see(const MonitorSample& sample) {
    ever_counted_ = ever_counted_ || std::ranges::any_of(sample.cpus, [&](const CpuSnapshot& cpu) {
                      return count_of(cpu, counter_).has_value();
                    });
  }
  void grow(const MonitorSample& before, const MonitorSample& now) {
    const auto increase = event_increase(before, now, counter_);
    if (!increase) return;
    if (!begin_ns_) begin_ns_ = before.elapsed_ns;
    total_ = saturating_add(total_, *increase);
    burst_ = std::max(burst_.value_or(0), *increase);
  }

  /// Sum of the increases, 0 for a counter with one reading, absent for one with none.
  [[nodiscard]] std::optional<std::int64_t> total() const {
    return ever_counted_ ? std::optional(total_) : std::nullopt;
  }
  /// Events per second from the first reading that increases are counted from to `end_ns`.
  [[nodiscard]] std::optional<double> rate(std::uint64_t end_ns) const {
    if (!ever_counted_ || !begin_ns_) return std::nullopt;
    return rate_per_second(static_cast<double>(total_), counter_delta(end_ns, *begin_ns_));
  }
  /// The largest increase from one reading to the next.
  [[nodiscard]] std::optional<std::int64_t> burst() const { return burst_; }

 private:
  EventCounter counter_;
  bool ever_counted_ = false;
  std::int64_t total_ = 0;
  std::optional<std::int64_t> burst_;
  std::optional<std::uint64_t> begin_ns_;
};

}  // namespace

std::optional<ScxEventDeltas> event_deltas(const SampleSeries& samples,
                                           std::span<const std::string> other_event_names) {
  std::vector<CounterGrowth> growths;
  for (std::size_t i = 0; i < kKnownEvents.size() + other_event_names.size(); ++i)
    growths.emplace_back(EventCounter(i));
  EventHistory history;
  bool any_events = false;
  std::uint64_t end_ns = 0;
  for (const auto& sample : samples) {
    any_events = any_events || has_events(sample);
    for (auto& growth : growths) growth.see(sample);
    if (const auto* before = history.before(sample)) {
      for (auto& growth : growths) growth.grow(*before, sample);
      end_ns = sample.elapsed_ns;
    }
    history.add(sample);
  }
  if (!any_events) return std::nullopt;

  ScxEventDeltas deltas;
  for (std::size_t i = 0; i < kKnownEvents.size(); ++i)
    number_of(deltas, EventCounter(i)) = growths[i].total();
  for (std::size_t i = 0; i < other_event_names.size(); ++i)
    if (const auto total = growths[kKnownEvents.size() + i].total())
      deltas.total_other.emplace(other_event_names[i], *total);
  const auto& fallback = growths[EventCounter("select_cpu_fallback").index];
  deltas.fallback_rate = fallback.rate(end_ns);
  deltas.max_fallback_burst = fallback.burst();
  deltas.keep_last_rate = growths[EventCounter("dispatch_keep_last").index].rate(end_ns);
  return deltas;
}

}  // namespace ktstr::introspect
