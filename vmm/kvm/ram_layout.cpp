#include "vmm/kvm/ram_layout.h"

#include <algorithm>

#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {

std::vector<RamPart> lay_out_ram(std::span<const std::span<std::byte>> banks) {
  std::vector<RamPart> parts;
  GuestPhys next;
  for (std::size_t bank = 0; bank < banks.size(); ++bank) {
    for (auto rest = banks[bank]; !rest.empty();) {
      if (next == kLowRamEnd) next = kHighRam;
      const std::uint64_t room = next < kLowRamEnd ? kLowRamEnd - next : rest.size();
      const auto bytes = std::min<std::uint64_t>(rest.size(), room);
      parts.push_back({bank, {next, rest.first(bytes)}});
      rest = rest.subspan(bytes);
      next = next + bytes;
    }
  }
  return parts;
}

}  // namespace ktstr::vmm::kvm
