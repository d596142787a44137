// The kernel's watchdog over the loaded scheduler, set from outside.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/report/scheduler_report.h"
#include "introspect/kernel.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// Writes the timeout into guest memory, rounded up to ticks of `hz`, and reads it back. Errors:
/// introspect/scx/watchdog.h.
[[nodiscard]] Result<WatchdogReport> set_scheduler_watchdog(vmm::Machine& machine,
                                                            const introspect::Kernel& kernel,
                                                            std::uint32_t hz, Duration timeout);

}  // namespace ktstr::engine
