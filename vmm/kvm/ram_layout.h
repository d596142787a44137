// Where the banks of RAM lie in the guest-physical space.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// A part of a bank (of one NUMA node) that is contiguous for the guest.
struct RamPart {
  std::size_t bank = 0;
  MemoryRegion region;
};

/// Lays the banks end to end from address 0, around the hole below 4 GiB. Ascending by base.
[[nodiscard]] std::vector<RamPart> lay_out_ram(std::span<const std::span<std::byte>> banks);

}  // namespace ktstr::vmm::kvm
