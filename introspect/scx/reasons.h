// Why sched_ext state is absent from a report. Programs look for these exact texts.
#pragma once

namespace ktstr::introspect {

/// No scheduler is loaded. Run queues and local DSQs exist all the same and are shown.
inline constexpr char kReasonScxRootNull[] = "scx_root is NULL (no scheduler attached)";
/// A scheduler is loaded, but no run queue and no DSQ could be read.
inline constexpr char kReasonScxWalkerNoState[] = "scx walker reached no state";
/// Nobody looked: the kernel has no sched_ext, or no reader was made for it.
inline constexpr char kReasonNoScxWalker[] = "no scx walker capture";

}  // namespace ktstr::introspect
