// The stall rule: a CPU that has tasks to run, and a clock that stands still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

/// What the rule needs of a CpuSnapshot.
struct ClockReading {
  std::uint32_t nr_running;
  bool offline;
  std::uint64_t rq_clock;
  std::optional<std::uint64_t> vcpu_cpu_time_ns;

  ClockReading(const CpuSnapshot& cpu)
      : nr_running(cpu.nr_running),
        offline(cpu.offline.value_or(false)),
        rq_clock(cpu.rq_clock),
        vcpu_cpu_time_ns(cpu.vcpu_cpu_time_ns) {}
};

/// Whether the run queue clock of one CPU failed to advance from `before` to `now`. Exempt:
/// - offline in either sample;
/// - idle: no runnable task in either sample (the kernel stops an idle CPU's tick);
/// - preempted: the vCPU's thread ran for less than threshold_ns in between (unknown CPU times exempt
/// nothing);
/// - a clock of 0: the kernel has not written it yet.
/// The last exemption, a stall that does not last, is the sustained window of MonitorThresholds.
[[nodiscard]] bool is_cpu_stalled(const ClockReading& before, const ClockReading& now,
                                  std::uint64_t threshold_ns);

/// Sees a series in order and says of each sample which CPUs are stalled. A sample is compared with the
/// latest one that is at least threshold_ns older, so that a period shorter than a few ticks makes no stall
/// of the time between two ticks; with longer periods that is the sample before.
class StallWatch {
 public:
  explicit StallWatch(std::uint64_t threshold_ns) : threshold_ns_(threshold_ns) {}

  /// Goes on to the next sample; false when it can't be judged.
  bool add(const MonitorSample& sample);
  /// CPUs that both compared samples have. Precondition, here and below: add() returned true.
  [[nodiscard]] std::size_t cpus() const;
  /// Precondition: cpu < cpus().
  [[nodiscard]] bool is_stalled(std::size_t cpu) const;
  [[nodiscard]] bool any_stalled() const;

 private:
  struct Instant {
    std::uint64_t elapsed_ns = 0;
    std::vector<ClockReading> cpus;
  };
  [[nodiscard]] bool old_enough(const Instant& candidate) const;

  std::uint64_t threshold_ns_;
  std::deque<Instant> earlier_;  ///< from the one that is compared to the one before now_
  std::optional<Instant> now_;
};

}  // namespace ktstr::introspect
