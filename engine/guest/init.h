// What PID 1 owes a guest, apart from the scenario: file systems, a console, and the end of the machine.
#pragma once

#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// Mounts /proc, /sys, /dev, /tmp and the cgroup v2 hierarchy, and makes the console stdin, stdout and stderr
/// where the kernel left none. What is mounted already stays. Also takes a real-time priority, so that the
/// agent, and workers up to their release, get on even where the scheduler under test starves everybody else.
[[nodiscard]] Status become_init();

inline constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

/// Ends the machine at once by a reset: every machine type can, and a VMM that does not reboot takes it for
/// the end.
[[noreturn]] void end_machine();

}  // namespace ktstr::engine::guest
