// Messages about the kernel's optional statistics.
#pragma once

#include <optional>

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

struct StatisticsSwitches;

/// Switches kernel.bpf_stats_enabled and kernel.sched_schedstats on, or leaves both as they are. An agent on
/// a bare host leaves them in any case. Answered by StatisticsSwitches.
struct SetStatistics {
  using Answer = StatisticsSwitches;

  bool on = true;

  static consteval auto describe() {
    return record("set_statistics", "switches the kernel's optional statistics on",
                  field<&SetStatistics::on>("false: they are left as they are"));
  }
};

/// The switches as they were read afterwards. Absent: the kernel has no such switch.
struct StatisticsSwitches {
  std::optional<bool> bpf_programs;
  std::optional<bool> schedstats;

  static consteval auto describe() {
    using T = StatisticsSwitches;
    return record("statistics_switches", "which optional statistics the kernel keeps",
                  field<&T::bpf_programs>("kernel.bpf_stats_enabled"),
                  field<&T::schedstats>("kernel.sched_schedstats"));
  }
};

}  // namespace ktstr::engine::protocol
