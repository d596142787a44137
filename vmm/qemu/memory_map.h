// Where QEMU put the guest's RAM, read from `info mtree -f`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

/// A run of guest-physical addresses backed by one memory backend ("bank").
struct RamRange {
  GuestPhys base;
  std::uint64_t bytes = 0;
  std::size_t bank = 0;
  std::uint64_t bank_offset = 0;

  friend bool operator==(const RamRange&, const RamRange&) = default;
};

/// The name of bank `index` in the machine: its -object id.
[[nodiscard]] std::string bank_name(std::size_t index);

/// The ranges of the CPUs' address space "memory" that our banks back, ascending and disjoint. `bank_bytes`
/// are the banks' sizes. Errors: kCorrupt when there is no such view, no RAM, or a range that leaves its bank
/// or overlaps another.
[[nodiscard]] Result<std::vector<RamRange>> parse_memory_map(std::string_view mtree,
                                                             std::span<const std::uint64_t> bank_bytes);

}  // namespace ktstr::vmm::qemu
