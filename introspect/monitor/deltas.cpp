// What the counters of a series grew by: the parts of summarize().
#include "introspect/monitor/summary.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/sample.h"

namespace ktstr::introspect {
namespace {

/// Finds for each sample of a series, seen in order, the one that its event counters are compared with.
class EventHistory {
 public:
  /// The last sample with event counters before `now`. What precedes the first sample with counters is the
  /// first sample of all of which it is known whether a scheduler was loaded: without one then, the counters
  /// began at zero in between. nullptr: nothing precedes, or `now` has no counters.
  [[nodiscard]] const MonitorSample* before(const MonitorSample& now) const {
    return before_ && has_events(now) ? &*before_ : nullptr;
  }
  void add(const MonitorSample& now) {
    if (now.cpus.empty()) return;
    if (has_events(now) || (!before_ && !now.scheduler_unknown)) before_ = now;
  }

 private:
  std::optional<MonitorSample> before_;
};

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

using Counter = std::optional<std::uint64_t> (*)(const RqSchedstat&);

template <auto member>
std::optional<std::uint64_t> read(const RqSchedstat& stat) {
  return stat.*member;
}

/// A counter's growth from the first to the last sample in which a CPU has it, and the time between them.
class Growth {
 public:
  explicit Growth(Counter counter) : counter_(counter) {}

  void see(const MonitorSample& sample) {
    const auto has_it = [&](const CpuSnapshot& cpu) { return value(cpu).has_value(); };
    if (std::ranges::none_of(sample.cpus, has_it)) return;
    last_.elapsed_ns = sample.elapsed_ns;
    last_.by_cpu.clear();
    for (const auto& cpu : sample.cpus) last_.by_cpu.push_back(value(cpu));
    if (!first_) first_ = last_;
  }

  /// Absent when no sample has the counter.
  [[nodiscard]] std::optional<std::uint64_t> total() const {
    if (!first_) return std::nullopt;
    std::uint64_t total = 0;
    for (std::size_t cpu = 0; cpu < std::min(first_->by_cpu.size(), last_.by_cpu.size()); ++cpu)
      if (first_->by_cpu[cpu] && last_.by_cpu[cpu])
        total = saturating_add(total, counter_delta(*last_.by_cpu[cpu], *first_->by_cpu[cpu]));
    return total;
  }
  [[nodiscard]] std::optional<double> rate() const {
    const auto grown = total();
    if (!grown) return std::nullopt;
    return rate_per_second(static_cast<double>(*grown), counter_delta(last_.elapsed_ns, first_->elapsed_ns));
  }

 private:
  struct Reading {
    std::uint64_t elapsed_ns = 0;
    std::vector<std::optional<std::uint64_t>> by_cpu;
  };
  [[nodiscard]] std::optional<std::uint64_t> value(const CpuSnapshot& cpu) const {
    return cpu.schedstat ? counter_(*cpu.schedstat) : std::nullopt;
  }

  Counter counter_;
  std::optional<Reading> first_;
  Reading last_;
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

std::optional<SchedstatDeltas> schedstat_deltas(const SampleSeries& samples) {
  Growth run_delay(read<&RqSchedstat::run_delay>), pcount(read<&RqSchedstat::pcount>),
      sched_count(read<&RqSchedstat::sched_count>), yld_count(read<&RqSchedstat::yld_count>),
      sched_goidle(read<&RqSchedstat::sched_goidle>), ttwu_count(read<&RqSchedstat::ttwu_count>),
      ttwu_local(read<&RqSchedstat::ttwu_local>);
  Growth* const all[] = {&run_delay,    &pcount,     &sched_count, &yld_count,
                         &sched_goidle, &ttwu_count, &ttwu_local};
  for (const auto& sample : samples)
    for (auto* growth : all) growth->see(sample);
  if (!run_delay.total() || !pcount.total()) return std::nullopt;

  SchedstatDeltas deltas;
  deltas.total_run_delay = *run_delay.total();
  deltas.run_delay_rate = run_delay.rate();
  deltas.total_pcount = *pcount.total();
  deltas.total_sched_count = sched_count.total();
  deltas.sched_count_rate = sched_count.rate();
  deltas.total_yld_count = yld_count.total();
  deltas.total_sched_goidle = sched_goidle.total();
  deltas.total_ttwu_count = ttwu_count.total();
  deltas.total_ttwu_local = ttwu_local.total();
  return deltas;
}

}  // namespace ktstr::introspect
