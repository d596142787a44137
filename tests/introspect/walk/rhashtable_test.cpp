#include "introspect/walk/rhashtable.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/walk/chain_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::uint64_t kBucketsAt = 16;  ///< from the start of a bucket_table

/// A guest with a table at node(0), its buckets at node(1), another bucket table at node(8), and elements
/// from node(16) on.
struct TableGuest : ChainGuest {
  explicit TableGuest(std::uint32_t size = 4) {
    FakeBtf btf;
    const int word = btf.integer("unsigned long", 8);
    const int half = btf.integer("unsigned int", 4);
    btf.structure("rhashtable", 8, {{"tbl", word, 0}});
    btf.structure("bucket_table", 16,
                  {{"size", half, 0},
                   {"nest", half, 32},
                   {"future_tbl", word, 64},
                   {"buckets", btf.array(word, 0), 128}});
    REQUIRE(layout.resolve(btf.parsed()));
    link(node(0), node(1));
    put_value(node(1), size);
  }
  [[nodiscard]] static KernelVirt bucket(std::uint64_t i) { return node(1) + kBucketsAt + i * 8; }
  [[nodiscard]] Walked<KernelVirt> walk(std::size_t cap = kDefaultWalkCap) const {
    auto walked = walk_rhashtable(translator(), layout, node(0), cap);
    std::ranges::sort(walked.items);
    return walked;
  }
  RhashtableLayout layout;
};

/// Elements 16 and 17 in bucket 1, whose end is marked with the bucket's address, and 18 in bucket 3.
TableGuest three_elements() {
  TableGuest guest;
  guest.link(guest.bucket(1), guest.node(16));
  guest.link(guest.node(16), guest.node(17));
  guest.put(guest.node(17), guest.bucket(1).value() | 1);
  guest.link(guest.bucket(3), guest.node(18));
  guest.put(guest.node(18), guest.bucket(3).value() | 1);
  return guest;
}

const std::vector kThree{ChainGuest::node(16), ChainGuest::node(17), ChainGuest::node(18)};

}  // namespace

TEST_CASE("an empty table has no elements") {
  CHECK(TableGuest().walk().complete());
  CHECK(TableGuest().walk().items.empty());
}

TEST_CASE("elements of all buckets are found up to the nulls markers") {
  const auto walked = three_elements().walk();
  CHECK(walked.complete());
  CHECK(walked.items == kThree);
}

TEST_CASE("a bucket that is locked has its elements all the same, and may be empty") {
  auto guest = three_elements();
  guest.put(guest.bucket(1), guest.node(16).value() | 1);
  guest.put(guest.bucket(0), 1);
  CHECK(guest.walk().complete());
  CHECK(guest.walk().items == kThree);
}

TEST_CASE("while a table is resized elements of both bucket tables are found once") {
  auto guest = three_elements();
  guest.link(guest.node(1) + 8, guest.node(8));
  guest.put_value(guest.node(8), std::uint32_t{2});
  guest.link(guest.node(8) + kBucketsAt, guest.node(19));
  guest.link(guest.node(19), guest.node(18));  // moved, and not yet gone from its old bucket
  const auto walked = guest.walk();
  CHECK(walked.complete());
  CHECK(walked.items ==
        std::vector{ChainGuest::node(16), ChainGuest::node(17), ChainGuest::node(18), ChainGuest::node(19)});
}

TEST_CASE("a nested bucket table is refused with that reason") {
  auto guest = three_elements();
  guest.put_value(guest.node(1) + 4, std::uint32_t{9});
  CHECK(guest.walk().end == WalkEnd::kTruncated);
  CHECK(guest.walk().reason == "a nested bucket table is not followed");
  CHECK(guest.walk().items.empty());
}

TEST_CASE("damage in one bucket costs only its elements") {
  auto guest = three_elements();
  guest.put(guest.node(16), 0x1230);
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  CHECK(guest.walk().items == std::vector{ChainGuest::node(16), ChainGuest::node(18)});
  guest.link(guest.node(16), guest.unmapped());
  CHECK(guest.walk().end == WalkEnd::kUnreadable);
}

TEST_CASE("a chain that leads back into itself ends") {
  auto guest = three_elements();
  guest.link(guest.node(17), guest.node(16));
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  CHECK(guest.walk().items == kThree);
}

TEST_CASE("bucket tables in a circle end") {
  auto guest = three_elements();
  guest.link(guest.node(1) + 8, guest.node(1));
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  CHECK(guest.walk().items == kThree);
}

TEST_CASE("more elements than the cap are cut") {
  CHECK(three_elements().walk(2).end == WalkEnd::kTruncated);
  CHECK(three_elements().walk(2).items.size() == 2);
  CHECK(three_elements().walk(3).complete());
}

TEST_CASE("a table that claims more buckets than memory has says where it stopped") {
  auto guest = three_elements();
  guest.put_value(guest.node(1), std::uint32_t{0xffff'ffff});
  CHECK_FALSE(guest.walk().complete());
  CHECK(guest.walk().items.size() >= 3);
  CHECK(walk_rhashtable(guest.translator(), guest.layout, guest.unmapped()).end == WalkEnd::kUnreadable);
}

TEST_CASE("buckets in unmapped memory cost only their own elements") {
  constexpr std::uint32_t kBuckets = 2048;
  TableGuest guest;
  const KernelVirt table = ChainGuest::node(64);
  guest.link(ChainGuest::node(0), table);
  guest.put_value(table, kBuckets);
  const auto bucket = [&](std::uint64_t i) { return table + kBucketsAt + i * 8; };
  const auto page_of = [](KernelVirt place) { return KernelVirt(place.value() & ~std::uint64_t{4095}); };
  const KernelVirt hole = page_of(bucket(kBuckets / 2));
  guest.link(bucket(0), ChainGuest::node(900));
  guest.link(bucket(kBuckets - 1), ChainGuest::node(901));
  const std::uint64_t last_before = (hole - bucket(0)) / 8 - 1, first_after = (hole + 4096 - bucket(0)) / 8;
  guest.link(bucket(last_before), ChainGuest::node(902));
  guest.link(bucket(first_after), ChainGuest::node(903));
  for (std::uint64_t node = 900; node < 904; ++node) guest.put(ChainGuest::node(node), 1);
  guest.unmap(hole);
  const auto walked = guest.walk();
  CHECK(walked.end == WalkEnd::kUnreadable);
  CHECK(walked.reason == "buckets in unmapped memory");
  CHECK(walked.at == hole);
  CHECK(walked.items == std::vector{ChainGuest::node(900), ChainGuest::node(901), ChainGuest::node(902),
                                    ChainGuest::node(903)});
}

TEST_CASE("many buckets that lead into one long chain are not as many walks of it") {
  TableGuest guest(512);
  for (std::uint64_t i = 0; i < 512; ++i) guest.link(guest.bucket(i), guest.node(200));
  for (std::uint64_t i = 200; i < 1000; ++i) guest.link(guest.node(i), guest.node(i + 1));
  guest.put(guest.node(1000), 1);
  const auto walked = guest.walk(1000);
  CHECK(walked.items.size() == 801);
  CHECK(walked.end == WalkEnd::kTruncated);
}
