// Whether a task that runs is only waiting for a kernel lock.
#pragma once

#include <optional>
#include <string_view>

#include "introspect/kernel.h"

namespace ktstr::introspect {

/// The kind of lock whose slow path the instruction at `pc` belongs to: "queued_spin_lock_slowpath",
/// "mutex_lock_slowpath", "rwsem_down_read_slowpath" or "rwsem_down_write_slowpath"; nullopt for any other
/// instruction. Native and paravirtual spin locks are the same kind, and so are the parts that a compiler
/// splits off a function (".constprop.0", ".cold").
[[nodiscard]] std::optional<std::string_view> lock_slowpath_at(const Kernel& kernel, KernelVirt pc);

}  // namespace ktstr::introspect
