#include "vmm/kvm/machine_ram.h"

#include <algorithm>

#include "engine/base/io.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kFilePage = 4096;

/// Less is quicker written than mapped.
constexpr std::size_t kLeastMapped = 64 * kFilePage;

}  // namespace

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

Status RamFiller::put(GuestPhys at, std::span<const std::byte> bytes) {
  for (const auto& part : parts_) {
    if (bytes.empty()) break;
    const auto& region = part.region;
    if (at < region.base || at - region.base >= region.bytes.size()) continue;
    const auto place = region.bytes.subspan(at - region.base);
    const auto count = std::min(bytes.size(), place.size());
    const auto bank_offset = static_cast<std::size_t>(place.data() - ram_.bytes(part.bank).data());
    KTSTR_TRY(put_into(part, bank_offset, bytes.first(count)));
    bytes = bytes.subspan(count);
    at = at + count;
  }
  if (!bytes.empty()) return Error{ErrorCode::kOutOfRange, "a write beyond the guest's memory"};
  return ok();
}

/// The ends that share a page with something else are written.
Status RamFiller::put_into(const RamPart& part, std::size_t bank_offset, std::span<const std::byte> bytes) {
  const auto* source = ram_.can_map_files() ? source_of(bytes) : nullptr;
  if (!source) return write(part.bank, bank_offset, bytes);
  const auto file_offset = static_cast<std::size_t>(bytes.data() - source->bytes().data());
  const auto head = (kFilePage - bank_offset % kFilePage) % kFilePage;
  if (file_offset % kFilePage != bank_offset % kFilePage || bytes.size() < head + kLeastMapped)
    return write(part.bank, bank_offset, bytes);
  const auto middle = (bytes.size() - head) / kFilePage * kFilePage;
  KTSTR_TRY(write(part.bank, bank_offset, bytes.first(head)));
  KTSTR_TRY(ram_.map_file(part.bank, bank_offset + head, source->fd(), file_offset + head, middle));
  return write(part.bank, bank_offset + head + middle, bytes.subspan(head + middle));
}

Status RamFiller::write(std::size_t bank, std::size_t offset, std::span<const std::byte> bytes) {
  if (ram_.pages() != RamPages::kReserved) return write_at(ram_.fd(bank), bytes, offset);
  std::ranges::copy(bytes, ram_.bytes(bank).subspan(offset).begin());
  return ok();
}

const MappedFile* RamFiller::source_of(std::span<const std::byte> bytes) const {
  const auto found = std::ranges::find_if(sources_, [&](const MappedFile* file) {
    const auto all = file->bytes();
    return bytes.data() >= all.data() && bytes.data() + bytes.size() <= all.data() + all.size();
  });
  return found == sources_.end() ? nullptr : *found;
}

}  // namespace ktstr::vmm::kvm
