// ScxSchedState: a loaded sched_ext scheduler as the kernel sees it (struct scx_sched, kernel/sched/ext*).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// Values of ScxSchedState::source.
inline constexpr char kScxSchedLive[] = "live";                 ///< read from *scx_root
inline constexpr char kScxSchedBssSnapshot[] = "bss_snapshot";  ///< latched by a probe as it exited

/// One scx_sched at one instant. Absent: the kernel has neither the member nor the global variable that came
/// before it (`aborting` before 6.19), or it could not be read.
struct ScxSchedState {
  std::optional<bool> aborting;
  std::optional<std::int32_t> bypass_depth;
  std::uint32_t exit_kind = 0;  ///< SCX_EXIT_DONE once the kernel has begun to disable it: see ScxExitRecord
  std::optional<std::string> exit_kind_name;
  std::optional<std::uint64_t> watchdog_timeout;
  std::optional<std::string> source;
  std::optional<std::uint64_t> sched_kva;
  std::optional<std::string> ops_name;
  std::optional<std::uint32_t> timeout_ms;
  std::optional<std::uint64_t> ops_flags;
  std::optional<std::uint64_t> slice_dfl_ns;
  std::optional<std::int32_t> level;
  std::optional<std::string> enable_state;

  static consteval auto describe() {
    using T = ScxSchedState;
    return record(
        "the loaded sched_ext scheduler",
        field<&T::aborting>("whether it is being aborted").from("scx_sched"),
        field<&T::bypass_depth>("nesting of bypass mode; above 0 the scheduler is not asked")
            .from("scx_sched"),
        field<&T::exit_kind>("enum scx_exit_kind; 0 while it runs").from("scx_sched", {"exit_kind.counter"}),
        field<&T::exit_kind_name>("the kernel's name of exit_kind"),
        field<&T::watchdog_timeout>("how long a runnable task may wait, jiffies").from("scx_sched"),
        field<&T::source>("\"live\", or \"bss_snapshot\" when latched as it exited"),
        field<&T::sched_kva>("address of the scx_sched"),
        field<&T::ops_name>("sched_ext_ops.name").from("scx_sched", {"ops.name"}),
        field<&T::timeout_ms>("sched_ext_ops.timeout_ms; 0 stands for the kernel's default")
            .from("scx_sched", {"ops.timeout_ms"}),
        field<&T::ops_flags>("sched_ext_ops.flags, SCX_OPS_* bits").from("scx_sched", {"ops.flags"}),
        field<&T::slice_dfl_ns>("default time slice, ns").from("scx_sched", {"slice_dfl"}),
        field<&T::level>("depth below the root scheduler; 0 for the root").from("scx_sched"),
        field<&T::enable_state>("state of sched_ext as a whole: enabled, disabling ..."));
  }
};

}  // namespace ktstr::introspect
