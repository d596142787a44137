#include "introspect/paging.h"

namespace ktstr::introspect {

namespace {

constexpr std::uint64_t kPresent = 1U << 0;
constexpr std::uint64_t kPageSize = 1U << 7;  // PS; in a last-level entry this bit is PAT
constexpr std::uint64_t kPhysicalAddress = 0x000f'ffff'ffff'f000;  // bits 12..51
constexpr std::uint64_t kIndexMask = 0x1ff;
constexpr std::uint8_t kSmallestShift = 12;

WalkResult fail(WalkFault fault, std::uint64_t span) {
  return tl::make_unexpected(WalkFailure{fault, span});
}

WalkResult walk(const PhysicalMemory& memory, const PageTable& table, std::uint64_t address) {
  if (!table.mode->is_canonical(address)) return fail(WalkFault::kNonCanonical, 1);
  GuestPhys next = table.root;
  for (const PagingLevel& level : table.mode->levels) {
    const std::uint64_t span = std::uint64_t{1} << level.shift;
    const auto entry = memory.read_value<std::uint64_t>(next + (address >> level.shift & kIndexMask) * 8);
    if (!entry) return fail(WalkFault::kUnreadable, span);
    if (!(*entry & kPresent)) return fail(WalkFault::kNotPresent, span);
    const bool last = level.shift == kSmallestShift;
    if (last || *entry & kPageSize) {
      if (!level.may_be_leaf) return fail(WalkFault::kReserved, span);
      const std::uint64_t offset_mask = span - 1;
      return PageMapping{GuestPhys((*entry & kPhysicalAddress & ~offset_mask) | (address & offset_mask)),
                         span};
    }
    next = GuestPhys(*entry & kPhysicalAddress);
  }
  return fail(WalkFault::kReserved, 1);
}

}  // namespace

WalkResult walk_page_table(const PhysicalMemory& memory, const PageTable& table, KernelVirt address) {
  return walk(memory, table, address.value());
}

WalkResult walk_page_table(const PhysicalMemory& memory, const PageTable& table, UserVirt address) {
  return walk(memory, table, address.value());
}

std::string_view describe_fault(WalkFault fault) {
  constexpr std::string_view kTexts[] = {"not a canonical address", "not mapped",
                                         "a page table entry with reserved bits", "a page table outside RAM"};
  return kTexts[static_cast<std::size_t>(fault)];
}

}  // namespace ktstr::introspect
