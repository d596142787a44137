// How much memory each NUMA node of a guest gets.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// RAM of each node in bytes, whole 2 MiB: equal parts of the configuration's memory, rounded up. Errors
/// (kInvalidArgument): less than a kernel needs to boot on so many CPUs.
[[nodiscard]] Result<std::vector<std::uint64_t>> plan_banks(const MachineConfig& config);

}  // namespace ktstr::vmm
