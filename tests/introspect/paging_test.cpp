#include "introspect/paging.h"

#include <doctest/doctest.h>

#include "tests/introspect/fake_memory.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr KernelVirt kSomewhere(0xffff'8881'2345'6000);
constexpr std::uint64_t kSmall = 4096, kLarge = 2U << 20, kHuge = 1U << 30;

}  // namespace

TEST_CASE("pages of all three sizes are found in both modes, with the offset kept") {
  for (const PagingMode* mode : {&kFourLevelPaging, &kFiveLevelPaging})
    for (const std::uint64_t size : {kSmall, kLarge, kHuge}) {
      CAPTURE(mode->name);
      CAPTURE(size);
      FakeMemory arena(1U << 20, *mode);
      const KernelVirt page(kSomewhere.value() & ~(size - 1));
      arena.map(page, GuestPhys(3 * kHuge), size);
      const auto mapped = walk_page_table(arena.memory(), arena.table(), page + (size - 5));
      REQUIRE(mapped.has_value());
      CHECK(mapped->address == GuestPhys(3 * kHuge + size - 5));
      CHECK(mapped->page_size == size);
    }
}

TEST_CASE("attribute bits of an entry are not part of the address") {
  FakeMemory arena(1U << 20);
  constexpr std::uint64_t kNoExecute = 1ULL << 63, kKeys = 0xfULL << 59, kGlobal = 1U << 8, kPat = 1U << 7;
  arena.put(arena.entry(arena.table().root, kSomewhere, kSmall),
            kNoExecute | kKeys | kGlobal | kPat | 0x5000 | 1);
  CHECK(walk_page_table(arena.memory(), arena.table(), kSomewhere)->address == GuestPhys(0x5000));
  constexpr std::uint64_t kLargePat = 1U << 12, kPageSize = 1U << 7;
  const KernelVirt elsewhere(0xffff'8890'0000'0000);
  arena.put(arena.entry(arena.table().root, elsewhere, kLarge),
            kNoExecute | kLargePat | kPageSize | 0x40'0000 | 1);
  CHECK(walk_page_table(arena.memory(), arena.table(), elsewhere)->address == GuestPhys(0x40'0000));
}

TEST_CASE("addresses that no mode has are refused before any table is read") {
  const SpanMemory nothing;
  const auto fault = [&](const PagingMode& mode, std::uint64_t address) {
    return walk_page_table(nothing, {GuestPhys(0), &mode}, KernelVirt(address)).error().fault;
  };
  CHECK(fault(kFourLevelPaging, 0xff11'0000'0000'0000) == WalkFault::kNonCanonical);
  CHECK(fault(kFourLevelPaging, 0x0000'8000'0000'0000) == WalkFault::kNonCanonical);
  CHECK(fault(kFiveLevelPaging, 0x0100'0000'0000'0000) == WalkFault::kNonCanonical);
  CHECK(fault(kFiveLevelPaging, 0xff11'0000'0000'0000) == WalkFault::kUnreadable);
  CHECK(fault(kFourLevelPaging, 0xffff'8000'0000'0000) == WalkFault::kUnreadable);
}

TEST_CASE("an absent entry at each level says how much is absent with it") {
  FakeMemory arena(1U << 20);
  for (const std::uint64_t size : {kHuge, kLarge, kSmall}) {
    CAPTURE(size);
    static_cast<void>(arena.entry(arena.table().root, kSomewhere, size));
    const auto walked = walk_page_table(arena.memory(), arena.table(), kSomewhere);
    REQUIRE_FALSE(walked.has_value());
    CHECK(walked.error().fault == WalkFault::kNotPresent);
    CHECK(walked.error().span == size);
  }
}

TEST_CASE("a page bit in a level that has no pages is a reserved entry") {
  FakeMemory arena(1U << 20, kFiveLevelPaging);
  const KernelVirt address(0xff11'0000'0000'0000);
  arena.put(arena.table().root + (address.value() >> 48 & 0x1ff) * 8, std::uint64_t{0x1000 | 0x81});
  CHECK(walk_page_table(arena.memory(), arena.table(), address).error().fault == WalkFault::kReserved);
}

TEST_CASE("a table that points to itself ends after one read per level") {
  FakeMemory arena(1U << 20);
  const GuestPhys root = arena.table().root;
  for (std::uint64_t i = 0; i < 512; ++i) arena.put(root + i * 8, root.value() | 1);
  const auto mapped = walk_page_table(arena.memory(), arena.table(), kSomewhere + 7);
  REQUIRE(mapped.has_value());
  CHECK(mapped->address == root + 7);
}

TEST_CASE("a table outside RAM is unreadable") {
  FakeMemory arena(1U << 20);
  arena.put(arena.entry(arena.table().root, kSomewhere, kHuge), std::uint64_t{0x7fff'0000'0000} | 1);
  CHECK(walk_page_table(arena.memory(), arena.table(), kSomewhere).error().fault == WalkFault::kUnreadable);
}

TEST_CASE("user addresses are walked like kernel addresses") {
  FakeMemory arena(1U << 20);
  arena.map(KernelVirt(0x40'0000), GuestPhys(0x3000));
  CHECK(walk_page_table(arena.memory(), arena.table(), UserVirt(0x40'0010))->address == GuestPhys(0x3010));
}
