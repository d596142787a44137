// Why task details are absent from a report. Programs look for these exact texts.
#pragma once

namespace ktstr::introspect {

/// Somebody looked, and there was no task, or none could be read.
inline constexpr char kReasonTaskWalkerZeroTasks[] = "task walker yielded zero tasks";
/// Nobody looked: no reader could be made for this kernel.
inline constexpr char kReasonNoTaskWalker[] = "no task walker available";

}  // namespace ktstr::introspect
