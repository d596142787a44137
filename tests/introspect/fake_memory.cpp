#include "tests/introspect/fake_memory.h"

namespace ktstr::introspect::test {

namespace {

constexpr std::uint64_t kPresentWritable = 3;
constexpr std::uint64_t kLarge = 1U << 7;
constexpr std::uint64_t kTableAddress = 0x000f'ffff'ffff'f000;

}  // namespace

FakeMemory::FakeMemory(std::size_t bytes, const PagingMode& mode)
    : ram_(bytes), memory_({{GuestPhys(0), ram_}}), mode_(&mode), root_(allocate(4096, 4096)) {}

GuestPhys FakeMemory::allocate(std::size_t bytes, std::size_t alignment) {
  const std::uint64_t begin = (used_ + alignment - 1) & ~(alignment - 1);
  KTSTR_CHECK(begin + bytes <= ram_.size());
  used_ = begin + bytes;
  return GuestPhys(begin);
}

GuestPhys FakeMemory::entry(GuestPhys root, KernelVirt address, std::uint64_t page_size) {
  GuestPhys table = root;
  for (const PagingLevel& level : mode_->levels) {
    const GuestPhys place = table + (address.value() >> level.shift & 0x1ff) * 8;
    if (std::uint64_t{1} << level.shift == page_size) return place;
    auto value = get<std::uint64_t>(place);
    if (value == 0) {
      value = allocate(4096, 4096).value() | kPresentWritable;
      put(place, value);
    }
    table = GuestPhys(value & kTableAddress);
  }
  KTSTR_CHECK(!"a page size of this mode");
  return {};
}

void FakeMemory::map(GuestPhys root, KernelVirt page, GuestPhys to, std::uint64_t page_size) {
  put(entry(root, page, page_size), to.value() | kPresentWritable | (page_size > 4096 ? kLarge : 0));
}

}  // namespace ktstr::introspect::test
