// StatisticsReport: which of the kernel's optional statistics were kept during a run.
#pragma once

#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// What a switch that is off would have counted is absent from dumps and samples, not 0.
struct StatisticsReport {
  bool asked = true;  ///< the scenario's `statistics`
  std::optional<bool> bpf_programs{};
  std::optional<bool> schedstats{};
  std::optional<std::string> problem{};

  static consteval auto describe() {
    using T = StatisticsReport;
    return record(
        "which of the kernel's optional statistics were kept",
        field<&T::asked>("whether the scenario wanted them switched on"),
        field<&T::bpf_programs>(
            "kernel.bpf_stats_enabled: calls of BPF programs and the time in them; absent: no such switch"),
        field<&T::schedstats>(
            "kernel.sched_schedstats: counters of run queues, domains and tasks; absent: no such switch"),
        field<&T::problem>("why they could not be switched on or read"));
  }
};

}  // namespace ktstr::engine
