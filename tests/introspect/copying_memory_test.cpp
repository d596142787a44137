#include "introspect/copying_memory.h"

#include <doctest/doctest.h>

#include <vector>

#include "introspect/span_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

constexpr std::size_t kCopiedPage = CopyingMemory::kPageBytes;

/// Four pages from physical address 0.
struct FourPages {
  std::vector<std::byte> ram{4 * kCopiedPage};
  SpanMemory memory{{{GuestPhys(0), ram}}};
};

std::optional<std::uint8_t> byte_at(const PhysicalMemory& memory, std::uint64_t address) {
  return memory.read_value<std::uint8_t>(GuestPhys(address));
}

}  // namespace

TEST_CASE("what was read stays what it was, with the rest of its page; nothing else is there any more") {
  FourPages guest;
  guest.ram[100] = std::byte{7};
  CopyingMemory copies(guest.memory);
  CHECK(byte_at(copies, 8) == 0);
  copies.seal();
  guest.ram[100] = guest.ram[8] = std::byte{9};
  CHECK(byte_at(copies, 8) == 0);
  CHECK(byte_at(copies, 100) == 7);
  CHECK_FALSE(byte_at(copies, kCopiedPage).has_value());
  CHECK(copies.end() == GuestPhys(4 * kCopiedPage));
}

TEST_CASE("a page is copied when it is read first") {
  FourPages guest;
  CopyingMemory copies(guest.memory);
  CHECK(byte_at(copies, 8) == 0);
  guest.ram[8] = std::byte{9};
  CHECK(byte_at(copies, 8) == 0);
}

TEST_CASE("reads go across pages, and fail when a byte lies outside RAM") {
  FourPages guest;
  guest.ram[kCopiedPage - 1] = std::byte{1}, guest.ram[kCopiedPage] = std::byte{2};
  const CopyingMemory copies(guest.memory);
  CHECK(copies.read_value<std::uint16_t>(GuestPhys(kCopiedPage - 1)) == 0x0201);
  CHECK_FALSE(copies.read_value<std::uint16_t>(GuestPhys(4 * kCopiedPage - 1)).has_value());
  CHECK_FALSE(copies.is_full());
}

TEST_CASE("pages beyond the limit are refused, and that is told") {
  FourPages guest;
  const CopyingMemory copies(guest.memory, 2);
  CHECK(byte_at(copies, 0).has_value());
  CHECK(byte_at(copies, kCopiedPage).has_value());
  CHECK_FALSE(copies.is_full());
  CHECK_FALSE(byte_at(copies, 2 * kCopiedPage).has_value());
  CHECK(byte_at(copies, 1).has_value());
  CHECK(copies.is_full());
}
