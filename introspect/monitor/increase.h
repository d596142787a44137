// How much the cumulative counters of a sample series grew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

/// What one CPU has of a counter; absent when it has none.
[[nodiscard]] std::optional<std::int64_t> count_of(const CpuSnapshot& cpu, EventCounter counter);

/// Events counted between two samples, summed over the CPUs; absent when no CPU has both readings, or when
/// one of the samples could not tell which scheduler was loaded. A different scheduler_instance started
/// counting at zero after `before`, so all that it counted is the increase. Within one instance a counter
/// that shrank counts as 0, never as a negative number.
[[nodiscard]] std::optional<std::int64_t> event_increase(const MonitorSample& before,
                                                         const MonitorSample& now, EventCounter counter);

/// Finds for each sample of a series, seen in order, the one that its event counters are compared with.
class EventHistory {
 public:
  /// The last sample with event counters before `now`. What precedes the first sample with counters is the
  /// first sample of all of which it is known whether a scheduler was loaded: without one then, the counters
  /// began at zero in between. nullptr: nothing precedes, or `now` has no counters.
  [[nodiscard]] const MonitorSample* before(const MonitorSample& now) const;
  void add(const MonitorSample& now);

 private:
  std::optional<MonitorSample> before_;
};

/// Whether any CPU of it has event counters.
[[nodiscard]] bool has_events(const MonitorSample& sample);

}  // namespace ktstr::introspect
