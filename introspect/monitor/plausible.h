// Whether samples hold scheduler state at all, or memory that the kernel had not written yet.
#pragma once

#include <cstdint>
#include <span>

#include "introspect/monitor/sample.h"

namespace ktstr::introspect {

/// No kernel queues more tasks than this on one CPU's local DSQ: a greater depth is memory that is no depth.
inline constexpr std::uint32_t kDsqPlausibilityCeiling = 10'000;

/// Whether no CPU's local DSQ is deeper than the ceiling. A sample without CPUs is plausible.
[[nodiscard]] bool is_plausible(const MonitorSample& sample);

/// Whether every sample is plausible and, where there are at least two clock readings in all, two of them
/// differ: clocks that are all the same were never written.
[[nodiscard]] bool are_plausible(std::span<const MonitorSample> samples);

}  // namespace ktstr::introspect
