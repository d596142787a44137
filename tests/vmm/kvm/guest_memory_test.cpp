#include "vmm/kvm/guest_memory.h"

#include <doctest/doctest.h>

#include <array>

namespace ktstr::vmm::kvm {
namespace {

struct TwoRegions {
  std::array<std::byte, 0x100> low{}, high{};
  std::array<MemoryRegion, 2> regions{{{GuestPhys(0x1000), low}, {GuestPhys(0x1100), high}}};
  GuestMemory memory{regions};
};

}  // namespace

TEST_CASE("a slice is the bytes of its region") {
  TwoRegions ram;
  const auto whole = ram.memory.slice(GuestPhys(0x1000), 0x100);
  REQUIRE(whole.has_value());
  CHECK(whole->data() == ram.low.data());
  CHECK(whole->size() == 0x100);
  const auto last = ram.memory.slice(GuestPhys(0x11ff), 1);
  REQUIRE(last.has_value());
  CHECK(last->data() == &ram.high[0xff]);
}

TEST_CASE("a slice that leaves its region is none, even where the next region begins") {
  TwoRegions ram;
  CHECK_FALSE(ram.memory.slice(GuestPhys(0x10ff), 2).has_value());
  CHECK_FALSE(ram.memory.slice(GuestPhys(0x1100), 0x101).has_value());
}

TEST_CASE("a slice outside every region is none") {
  TwoRegions ram;
  for (const std::uint64_t base : {0x0ULL, 0xfffULL, 0x1200ULL, ~0ULL})
    CHECK_FALSE(ram.memory.slice(GuestPhys(base), 1).has_value());
}

TEST_CASE("a length that wraps is none") {
  TwoRegions ram;
  CHECK_FALSE(ram.memory.slice(GuestPhys(0x1000), ~0ULL).has_value());
  CHECK_FALSE(ram.memory.slice(GuestPhys(0x1080), ~0ULL - 0x1000).has_value());
}

}  // namespace ktstr::vmm::kvm
