// ScxWatchdog: how long a runnable task may wait before the kernel ends the scheduler, changed from outside.
#pragma once

#include <cstdint>
#include <optional>

#include "introspect/kernel.h"
#include "introspect/memory.h"
#include "introspect/scx/scx_layouts.h"

namespace ktstr::introspect {

/// Jiffies.
struct WatchdogChange {
  std::uint64_t before = 0;
  std::uint64_t after = 0;  ///< read back
};

/// The kernel takes the timeout from ops.timeout_ms as it enables the scheduler, into scx_sched from 7.1 on
/// and into a global variable before; the watchdog reads it each time it looks (kernel/sched/ext.c,
/// scx_watchdog_workfn and check_rq_for_timeouts).
///
/// Const use is thread-safe. Pass the Kernel that it was made for, or another guest of the same build.
class ScxWatchdog {
 public:
  /// kNotFound: the kernel has no sched_ext, or keeps the timeout in a place that is not known.
  [[nodiscard]] static Result<ScxWatchdog> create(const Kernel& kernel);

  /// Gives the loaded scheduler another timeout. A look that is due already comes when it was due, at most
  /// half the former timeout later: a shorter one is in force from then on. kUnavailable: no scheduler is
  /// loaded, or it went meanwhile; kOutOfRange: memory that can't be read or written.
  [[nodiscard]] Result<WatchdogChange> set(const Kernel& kernel, WritableMemory& memory,
                                           std::uint64_t jiffies) const;

 private:
  [[nodiscard]] Result<KernelVirt> timeout_place(const Kernel& kernel) const;

  SchedLayout sched_;
  KernelVirt root_, jiffies_;
  std::optional<KernelVirt> timeout_;    ///< variable scx_watchdog_timeout, to 7.0
  std::optional<KernelVirt> interval_;   ///< variable scx_watchdog_interval, from 7.1: between two looks
  std::optional<KernelVirt> timestamp_;  ///< variable scx_watchdog_timestamp: of the last look
};

}  // namespace ktstr::introspect
