// How much memory each NUMA node of a guest gets.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// A node's RAM is whole pieces of this, which is a large page.
inline constexpr std::uint64_t kBankAlignment = 2ULL << 20;
/// What a node needs for the kernel's account of it, and the first, in which kernel and initramfs are loaded.
inline constexpr std::uint64_t kLeastBank = 16ULL << 20, kLeastFirstBank = 128ULL << 20;
/// What a machine can have.
inline constexpr std::uint64_t kMostMemory = 1ULL << 40;

/// RAM of each node in bytes, whole 2 MiB: what the topology states, and equal parts of the rest of `memory`,
/// rounded up. Errors (kInvalidArgument): less than a kernel needs to boot on so many CPUs; nodes that state
/// other than, or leave too little of, what there is.
[[nodiscard]] Result<std::vector<std::uint64_t>> plan_banks(const Topology& topology, ByteSize memory);

/// The same for a machine.
[[nodiscard]] inline Result<std::vector<std::uint64_t>> plan_banks(const MachineConfig& config) {
  return plan_banks(config.topology, config.memory);
}

}  // namespace ktstr::vmm
