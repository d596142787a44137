// The letter for a task's state that /proc/PID/stat shows (fs/proc/array.c, get_task_state).
#pragma once

#include <cstdint>

namespace ktstr::introspect {

/// R running, S sleeping, D disk sleep, T stopped, t tracing stop, X dead, Z zombie, P parked, I idle.
/// `state` is task_struct.__state, `exit_state` its namesake.
[[nodiscard]] char task_state_letter(std::uint32_t state, std::uint32_t exit_state);

}  // namespace ktstr::introspect
