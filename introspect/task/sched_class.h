// Scheduling classes by name (kernel/sched/sched.h, struct sched_class).
#pragma once

#include <map>
#include <string>

#include "introspect/kernel.h"

namespace ktstr::introspect {

/// "fair", "rt", "dl", "idle", "stop" and "ext" by the address of the kernel's sched_class. A class that the
/// kernel was built without is not among them.
[[nodiscard]] std::map<KernelVirt, std::string> sched_classes(const Kernel& kernel);

}  // namespace ktstr::introspect
