#include <algorithm>
#include <iterator>
#include <vector>

#include "introspect/monitor/counter.h"
#include "introspect/monitor/summary.h"

namespace ktstr::introspect {
namespace {

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
