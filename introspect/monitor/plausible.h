// Whether samples hold scheduler state at all, or memory that the kernel had not written yet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

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

}  // namespace ktstr::introspect
