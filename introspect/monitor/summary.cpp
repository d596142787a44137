#include "introspect/monitor/summary.h"

#include <algorithm>

#include "introspect/monitor/sample.h"
#include "introspect/monitor/stall.h"

namespace ktstr::introspect {
namespace {

/// Mean of what was added; absent when nothing was.
class Mean {
 public:
  void add(double value) { sum_ += value, ++count_; }
  [[nodiscard]] std::optional<double> value() const {
    return count_ > 0 ? std::optional(sum_ / static_cast<double>(count_)) : std::nullopt;
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

/// Whether any CPU of any sample is stalled; absent when no sample could be judged.
class AnyStall {
 public:
  explicit AnyStall(std::uint64_t threshold_ns) : watch_(threshold_ns) {}

  void add(const MonitorSample& sample) {
    if (!watch_.add(sample)) return;
    bool stalled = false;
    for (std::size_t cpu = 0; cpu < watch_.cpus() && !stalled; ++cpu) stalled = watch_.is_stalled(cpu);
    any_ = stalled || any_.value_or(false);
  }
  [[nodiscard]] std::optional<bool> value() const { return any_; }

 private:
  StallWatch watch_;
  std::optional<bool> any_;
};

}  // namespace

MonitorSummary summarize(const SampleSeries& samples, std::uint64_t stall_threshold_ns,
                         std::span<const std::string> other_event_names) {
  MonitorSummary summary;
  summary.total_samples = samples.size();
  Mean imbalance, nr_running, dsq_depth;
  AnyStall stall(stall_threshold_ns);
  for (const auto& sample : samples) {
    if (sample.cpus.empty() || !is_plausible(sample)) continue;
    stall.add(sample);
    const double ratio = sample.imbalance_ratio();
    imbalance.add(ratio);
    summary.max_imbalance_ratio = std::max(summary.max_imbalance_ratio.value_or(1.0), ratio);
    for (const auto& cpu : sample.cpus) {
      if (cpu.offline) continue;
      nr_running.add(cpu.nr_running);
      if (!cpu.local_dsq_depth) continue;
      dsq_depth.add(*cpu.local_dsq_depth);
      summary.max_local_dsq_depth = std::max(summary.max_local_dsq_depth.value_or(0), *cpu.local_dsq_depth);
    }
  }
  summary.avg_imbalance_ratio = imbalance.value();
  summary.avg_nr_running = nr_running.value();
  summary.avg_local_dsq_depth = dsq_depth.value();
  summary.stall_detected = stall.value();
  summary.event_deltas = event_deltas(samples, other_event_names);
  summary.schedstat_deltas = schedstat_deltas(samples);
  return summary;
}

}  // namespace ktstr::introspect
