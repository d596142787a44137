#include "introspect/monitor/summary.h"

#include <algorithm>
#include <vector>

#include "introspect/monitor/plausible.h"
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

std::vector<const MonitorSample*> usable_samples(std::span<const MonitorSample> samples) {
  std::vector<const MonitorSample*> usable;
  for (const auto& sample : samples)
    if (!sample.cpus.empty() && is_plausible(sample)) usable.push_back(&sample);
  return usable;
}

std::optional<bool> any_stall(std::span<const MonitorSample* const> samples, std::uint64_t threshold_ns) {
  std::optional<bool> stalled;
  StallWalker walker(samples, threshold_ns);
  while (walker.next()) {
    for (std::size_t cpu = 0; cpu < walker.cpus(); ++cpu)
      if (walker.is_stalled(cpu)) return true;
    stalled = false;
  }
  return stalled;
}

}  // namespace

MonitorSummary summarize(std::span<const MonitorSample> samples, std::uint64_t stall_threshold_ns,
                         std::span<const std::string> other_event_names) {
  MonitorSummary summary;
  summary.total_samples = samples.size();
  const auto usable = usable_samples(samples);
  Mean imbalance, nr_running, dsq_depth;
  for (const auto* sample : usable) {
    const double ratio = sample->imbalance_ratio();
    imbalance.add(ratio);
    summary.max_imbalance_ratio = std::max(summary.max_imbalance_ratio.value_or(1.0), ratio);
    for (const auto& cpu : sample->cpus) {
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
  summary.stall_detected = any_stall(usable, stall_threshold_ns);
  summary.event_deltas = event_deltas(samples, other_event_names);
  summary.schedstat_deltas = schedstat_deltas(samples);
  return summary;
}

}  // namespace ktstr::introspect
