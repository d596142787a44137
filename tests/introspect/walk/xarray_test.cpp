#include "introspect/walk/xarray.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/walk/chain_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::uint64_t kSlotsOffset = 40;
constexpr std::uint64_t kRetry = 257 << 2 | 2, kZero = 258 << 2 | 2;

/// The shape of include/linux/xarray.h with 64 slots to a node.
XarrayLayout layout(std::uint32_t slots = 64) {
  FakeBtf btf;
  const int u8 = btf.integer("unsigned char", 1), u32 = btf.integer("unsigned int", 4),
            u64 = btf.integer("unsigned long", 8);
  const int xarray = btf.structure("xarray", 16, {{"xa_flags", u32, 32}, {"xa_head", u64, 64}});
  btf.structure("xa_node", kSlotsOffset + slots * 8,
                {{"shift", u8, 0}, {"offset", u8, 8}, {"slots", btf.array(u64, slots), 320}});
  btf.structure("idr", 24, {{"idr_rt", xarray, 0}, {"idr_base", u32, 128}});
  XarrayLayout result;
  REQUIRE(result.resolve(btf.parsed()));
  return result;
}

/// An xarray at base(), nodes of 1 KB from base() + 1 KB on, things to point to above.
struct XarrayGuest : ChainGuest {
  static KernelVirt node(std::uint64_t i) { return base() + 1024 * (i + 1); }
  static std::uint64_t node_entry(std::uint64_t i) { return node(i).value() + 2; }
  static std::uint64_t thing(std::uint64_t i) { return base().value() + 0x8000 + i * 8; }

  void set_head(std::uint64_t entry) { put(base() + 8, entry); }
  void set_shift(std::uint64_t i, std::uint8_t shift) { put_value(node(i), shift); }
  void set_slot(std::uint64_t i, std::uint64_t slot, std::uint64_t entry) {
    put(node(i) + kSlotsOffset + slot * 8, entry);
  }
  [[nodiscard]] Walked<XarrayEntry> walk(std::size_t cap = kDefaultWalkCap) const {
    return walk_xarray(translator(), layout(), base(), cap);
  }
};

}  // namespace

TEST_CASE("an empty array, and one whose only entry is in the head") {
  XarrayGuest guest;
  CHECK(guest.walk().complete());
  CHECK(guest.walk().items.empty());
  guest.set_head(guest.thing(1));
  REQUIRE(guest.walk().items.size() == 1);
  CHECK(guest.walk().items[0].index == 0);
  CHECK(guest.walk().items[0].pointer() == KernelVirt(guest.thing(1)));
}

TEST_CASE("two levels give their entries ascending, at the right indices") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  guest.set_shift(0, 6);
  guest.set_slot(0, 0, guest.node_entry(1));
  guest.set_slot(0, 63, guest.node_entry(2));
  guest.set_slot(1, 5, guest.thing(1));
  guest.set_slot(2, 1, guest.thing(2));
  guest.set_slot(2, 63, (77 << 1) | 1);
  const auto walked = guest.walk();
  CHECK(walked.complete());
  REQUIRE(walked.items.size() == 3);
  CHECK(walked.items[0].index == 5);
  CHECK(walked.items[1].index == 63 * 64 + 1);
  CHECK(walked.items[2].index == 63 * 64 + 63);
  CHECK(walked.items[2].is_value());
  CHECK(walked.items[2].value() == 77);
}

TEST_CASE("siblings, retry and zero entries are not entries") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  guest.set_slot(0, 4, guest.thing(0));
  guest.set_slot(0, 5, 4 << 2 | 2);
  guest.set_slot(0, 6, kRetry);
  guest.set_slot(0, 7, kZero);
  REQUIRE(guest.walk().items.size() == 1);
  CHECK(guest.walk().items[0].index == 4);
}

TEST_CASE("an IDR's ids start at its base") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  guest.set_slot(0, 2, guest.thing(0));
  guest.put_value(guest.base() + 16, std::uint32_t{1});
  const auto walked = walk_idr(guest.translator(), layout(), guest.base());
  REQUIRE(walked.items.size() == 1);
  CHECK(walked.items[0].index == 3);
}

TEST_CASE("a node that contains itself is at the wrong depth") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  guest.set_shift(0, 6);
  for (std::uint64_t slot = 0; slot < 64; ++slot) guest.set_slot(0, slot, guest.node_entry(0));
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
}

TEST_CASE("a head of impossible depth is corrupt") {
  for (const std::uint8_t shift : {3, 61, 66, 255}) {
    CAPTURE(shift);
    XarrayGuest guest;
    guest.set_head(guest.node_entry(0));
    guest.set_shift(0, shift);
    CHECK(guest.walk().end == WalkEnd::kCorrupt);
  }
}

TEST_CASE("ten levels that all share their nodes end at the caps, not after 64^10 visits") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  for (std::uint64_t level = 0; level < 10; ++level) {
    guest.set_shift(level, static_cast<std::uint8_t>(54 - 6 * level));
    for (std::uint64_t slot = 0; slot < 64; ++slot)
      guest.set_slot(level, slot, level == 9 ? guest.thing(slot) : guest.node_entry(level + 1));
  }
  const auto full = guest.walk(1000);
  CHECK(full.end == WalkEnd::kTruncated);
  CHECK(full.items.size() == 1000);
  for (std::uint64_t slot = 0; slot < 64; ++slot) guest.set_slot(9, slot, 0);
  const auto hollow = guest.walk(1000);
  CHECK(hollow.end == WalkEnd::kTruncated);
  CHECK(hollow.items.empty());
}

TEST_CASE("nodes in unmapped memory, in user memory and misaligned") {
  XarrayGuest guest;
  guest.set_head(XarrayGuest::unmapped().value() + 2);
  CHECK(guest.walk().end == WalkEnd::kUnreadable);
  guest.set_head(0x7fff'0000'0002);
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  guest.set_head(guest.node_entry(0) + 4);
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  CHECK(walk_xarray(guest.translator(), layout(), XarrayGuest::unmapped()).end == WalkEnd::kUnreadable);
}

TEST_CASE("small nodes of 16 slots are walked by their own size") {
  XarrayGuest guest;
  guest.set_head(guest.node_entry(0));
  guest.set_shift(0, 4);
  guest.set_slot(0, 1, guest.node_entry(1));
  guest.set_slot(1, 3, guest.thing(0));
  const auto walked = walk_xarray(guest.translator(), layout(16), guest.base());
  REQUIRE(walked.items.size() == 1);
  CHECK(walked.items[0].index == 19);
}
