// MonitorSample: every CPU of a guest at one instant; whether that can be believed, and how much the counters
// grew from one to the next.
#pragma once

#include <cstddef>
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

/// No kernel queues more tasks than this on one CPU's local DSQ: a greater depth is memory that is no depth.
inline constexpr std::uint32_t kDsqPlausibilityCeiling = 10'000;

/// Whether no CPU's local DSQ is deeper than the ceiling. A sample without CPUs is plausible.
[[nodiscard]] bool is_plausible(const MonitorSample& sample);

/// Sees a series in order.
class PlausibilityWatch {
 public:
  void add(const MonitorSample& sample);
  /// Whether every sample is plausible and, where there are at least two clock readings in all, two of them
  /// differ: clocks that are all the same were never written.
  [[nodiscard]] bool are_plausible() const { return all_plausible_ && (readings_ < 2 || clocks_differ_); }

 private:
  bool all_plausible_ = true;
  bool clocks_differ_ = false;
  std::size_t readings_ = 0;
  std::uint64_t first_clock_ = 0;
};

/// What one CPU has of a counter; absent when it has none.
[[nodiscard]] std::optional<std::int64_t> count_of(const CpuSnapshot& cpu, EventCounter counter);

/// Events counted between two samples, summed over the CPUs; absent when no CPU has both readings, or when
/// one of the samples could not tell which scheduler was loaded. A different scheduler_instance started
/// counting at zero after `before`, so all that it counted is the increase. Within one instance a counter
/// that shrank counts as 0, never as a negative number.
[[nodiscard]] std::optional<std::int64_t> event_increase(const MonitorSample& before,
                                                         const MonitorSample& now, EventCounter counter);

/// Whether any CPU of it has event counters.
[[nodiscard]] bool has_events(const MonitorSample& sample);

}  // namespace ktstr::introspect
