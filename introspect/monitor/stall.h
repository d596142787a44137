// The stall rule: a CPU that has tasks to run, and a clock that stands still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

/// Whether the run queue clock of one CPU failed to advance from `before` to `now`. Exempt:
/// - idle: no runnable task in either sample (the kernel stops an idle CPU's tick);
/// - preempted: the vCPU's thread ran for less than threshold_ns in between (unknown CPU times exempt
/// nothing);
/// - a clock of 0: the kernel has not written it yet.
/// The third exemption, a stall that does not last, is the sustained window of MonitorThresholds.
[[nodiscard]] bool is_cpu_stalled(const CpuSnapshot& before, const CpuSnapshot& now,
                                  std::uint64_t threshold_ns);

/// Walks a series in order and says of each sample which CPUs are stalled. A sample is compared with the
/// latest one that is at least threshold_ns older, so that a period shorter than a few ticks makes no stall
/// of the time between two ticks; with longer periods that is the sample before. The span must outlive the
/// walker.
class StallWalker {
 public:
  StallWalker(std::span<const MonitorSample* const> samples, std::uint64_t threshold_ns)
      : samples_(samples), threshold_ns_(threshold_ns) {}

  /// Moves to the next sample that can be judged; false at the end.
  [[nodiscard]] bool next();
  /// Position of the current sample in the series. Precondition: next() returned true.
  [[nodiscard]] std::size_t index() const { return now_; }
  /// CPUs that both compared samples have.
  [[nodiscard]] std::size_t cpus() const;
  /// Precondition: cpu < cpus().
  [[nodiscard]] bool is_stalled(std::size_t cpu) const;

 private:
  [[nodiscard]] bool old_enough(std::size_t candidate) const;

  std::span<const MonitorSample* const> samples_;
  std::uint64_t threshold_ns_;
  std::size_t before_ = 0;
  std::size_t now_ = 0;
};

}  // namespace ktstr::introspect
