#include "introspect/monitor/summary.h"

#include <algorithm>

#include "introspect/monitor/sample.h"
#include "introspect/monitor/stall.h"

namespace ktstr::introspect {
namespace {

/// Mean of what was added; absent when nothing was.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] std::optional<double> value() const {
    return count_ > 0 ? std::optional(sum_ / static_cast<double>(count_)) : std::nullopt;
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

MonitorSummary summarize(const SampleSeries& samples, std::uint64_t stall_threshold_ns,
                         std::span<const std::string> other_event_names) {
  MonitorSummary summary;
  summary.total_samples = samples.size();
  Mean imbalance, nr_running, dsq_depth;
  StallWatch stalls(stall_threshold_ns);
  for (const auto& sample : samples) {
    if (sample.cpus.empty() || !is_plausible(sample)) continue;
    if (stalls.add(sample))
      summary.stall_detected = summary.stall_detected.value_or(false) || stalls.any_stalled();
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
  summary.event_deltas = event_deltas(samples, other_event_names);
  summary.schedstat_deltas = schedstat_deltas(samples);
  return summary;
}

}  // namespace ktstr::introspect
