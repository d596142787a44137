// GuestMemory: the machine's RAM for its loader and devices, every access checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/address.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// A view of RAM regions, ascending by base and disjoint, which must outlive it.
class GuestMemory {
 public:
  explicit GuestMemory(std::span<const MemoryRegion> regions) : regions_(regions) {}

  /// The bytes of [base, base + bytes), which lie in one region; nullopt where they don't, or wrap. The guest
  /// may change them at any time: copy before judging.
  [[nodiscard]] std::optional<std::span<std::byte>> slice(GuestPhys base, std::uint64_t bytes) const {
    for (const auto& region : regions_) {
      const auto offset = base - region.base;
      if (base < region.base || offset >= region.bytes.size()) continue;
      if (bytes > region.bytes.size() - offset) return std::nullopt;
      return region.bytes.subspan(offset, bytes);
    }
    return std::nullopt;
  }

 private:
  std::span<const MemoryRegion> regions_;
};

}  // namespace ktstr::vmm::kvm
