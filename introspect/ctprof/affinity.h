// The CPUs that a thread may run on, as a list.
#pragma once

#include <cstdint>
#include <optional>

#include "introspect/ctprof/quantity.h"

namespace ktstr::introspect::ctprof {

/// sched_getaffinity(2): those of its CPUs that are online. Absent when the thread is gone or the call
/// refused.
[[nodiscard]] std::optional<CpuAffinity> read_affinity(std::int32_t tid);

}  // namespace ktstr::introspect::ctprof
