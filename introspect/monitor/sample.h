// MonitorSample: every CPU of a guest at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "introspect/sched/cpu_snapshot.h"

namespace ktstr::introspect {

/// cpus[i] is CPU i. elapsed_ns is monotonic since the machine's start, the base that stimulus events use
/// too. scheduler_instance tells counters of different schedulers apart: it changes whenever another
/// scx_sched is the root, and is absent while none is, or while it can't be told (scheduler_unknown).
struct MonitorSample {
  std::uint64_t elapsed_ns = 0;
  std::uint64_t elapsed_ms = 0;
  std::optional<std::uint32_t> scheduler_instance;
  bool scheduler_unknown = false;
  std::vector<CpuSnapshot> cpus;
  std::vector<std::string> problems;

  /// A sample without CPUs yet; elapsed_ms is derived here and nowhere else. A negative time counts as 0.
  [[nodiscard]] static MonitorSample at(Duration elapsed);

  /// max(nr_running) / max(1, min(nr_running)) over the CPUs that are online: 0 when no CPU has a runnable
  /// task, 1 without CPUs.
  [[nodiscard]] double imbalance_ratio() const;

  /// Whether CPU `cpu` was known to be offline. Precondition: there is such a CPU.
  [[nodiscard]] bool is_offline(std::size_t cpu) const { return cpus[cpu].offline.value_or(false); }

  /// One counter summed over the CPUs that have it, saturating; absent when none has.
  [[nodiscard]] std::optional<std::int64_t> sum_event(EventCounter counter) const;

  static consteval auto describe() {
    using T = MonitorSample;
    return record("every CPU of the guest at one instant",
                  field<&T::elapsed_ns>("time since the machine's start, ns"),
                  field<&T::elapsed_ms>("the same in whole ms"),
                  field<&T::scheduler_instance>(
                      "which loaded scheduler the event counters belong to: 1 for the first one seen"),
                  field<&T::scheduler_unknown>("whether it could not be read if a scheduler was loaded"),
                  field<&T::cpus>("by CPU number"),
                  field<&T::problems>("what could not be read with this sample, and why"));
  }
};

}  // namespace ktstr::introspect
