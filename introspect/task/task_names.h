// What numbers and addresses that a task has are called: its state, its scheduling class, the lock it waits
// for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "introspect/kernel.h"

namespace ktstr::introspect {

/// The letter that /proc/PID/stat shows (fs/proc/array.c, get_task_state): R running, S sleeping, D disk
/// sleep, T stopped, t tracing stop, X dead, Z zombie, P parked, I idle. `state` is task_struct.__state,
/// `exit_state` its namesake.
[[nodiscard]] char task_state_letter(std::uint32_t state, std::uint32_t exit_state);

/// "fair", "rt", "dl", "idle", "stop" and "ext" by the address of the kernel's sched_class
/// (kernel/sched/sched.h). A class that the kernel was built without is not among them.
[[nodiscard]] std::map<KernelVirt, std::string> sched_classes(const Kernel& kernel);

/// The kind of lock whose slow path the instruction at `pc` belongs to: "queued_spin_lock_slowpath",
/// "mutex_lock_slowpath", "rwsem_down_read_slowpath" or "rwsem_down_write_slowpath"; nullopt for any other
/// instruction. Native and paravirtual spin locks are the same kind, and so are the parts that a compiler
/// splits off a function (".constprop.0", ".cold").
[[nodiscard]] std::optional<std::string_view> lock_slowpath_at(const Kernel& kernel, KernelVirt pc);

}  // namespace ktstr::introspect
