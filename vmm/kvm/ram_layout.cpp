#include "vmm/kvm/ram_layout.h"

#include <algorithm>

#include "vmm/kvm/layout.h"
#include "vmm/large_buffer.h"

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

Status write_ram(const GuestRam& ram, std::span<const RamPart> parts, GuestPhys at,
                 std::span<const std::byte> bytes) {
  for (const auto& [bank, region] : parts) {
    if (bytes.empty()) break;
    if (at < region.base || at - region.base >= region.bytes.size()) continue;
    const auto place = region.bytes.subspan(at - region.base);
    const auto count = std::min(bytes.size(), place.size());
    const auto bank_offset = static_cast<std::size_t>(place.data() - ram.bytes(bank).data());
    KTSTR_TRY_STATUS(write_at(ram.fd(bank), bytes.first(count), bank_offset));
    bytes = bytes.subspan(count);
    at = at + count;
  }
  if (!bytes.empty()) return Error{ErrorCode::kOutOfRange, "a write beyond the guest's memory"};
  return ok();
}

}  // namespace ktstr::vmm::kvm
