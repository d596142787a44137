// Messages about the kernel's optional statistics.
#pragma once

#include <optional>

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

/// Switches kernel.bpf_stats_enabled and kernel.sched_schedstats on, or leaves both as they are. An agent on
/// a bare host leaves them in any case. Answered by StatisticsSwitches.
struct SetStatistics {
  bool on = true;
};

/// The switches as they were read afterwards. Absent: the kernel has no such switch.
struct StatisticsSwitches {
  std::optional<bool> bpf_programs;
  std::optional<bool> schedstats;
};

}  // namespace ktstr::engine::protocol

namespace ktstr {
template <>
inline constexpr auto describe<engine::protocol::SetStatistics> = record<engine::protocol::SetStatistics>(
    "set_statistics", "switches the kernel's optional statistics on",
    field("on", &engine::protocol::SetStatistics::on, "false: they are left as they are"));
template <>
inline constexpr auto describe<engine::protocol::StatisticsSwitches> =
    record<engine::protocol::StatisticsSwitches>(
        "statistics_switches", "which optional statistics the kernel keeps",
        field("bpf_programs", &engine::protocol::StatisticsSwitches::bpf_programs,
              "kernel.bpf_stats_enabled"),
        field("schedstats", &engine::protocol::StatisticsSwitches::schedstats, "kernel.sched_schedstats"));
}  // namespace ktstr
