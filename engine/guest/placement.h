// Where and how a task runs, set from outside: affinity, policy, nice.
#pragma once

#include <sys/types.h>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {

/// Empty: all CPUs that its cpuset allows. Errors: kIo, EINVAL when the cpuset allows none of them.
[[nodiscard]] Status set_affinity(pid_t tid, const CpuSet& cpus);

/// Errors: kInvalidArgument for a policy or parameter that this kernel refuses, kIo.
[[nodiscard]] Status set_policy(pid_t tid, const Policy& policy, int nice);

}  // namespace ktstr::engine::guest
