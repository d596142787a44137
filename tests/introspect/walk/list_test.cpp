#include "introspect/walk/list.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/introspect/walk/chain_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// A guest with the list node(0) -> node(1) -> ... -> node(count) -> `last`.
ChainGuest chain(std::uint64_t count, KernelVirt last) {
  ChainGuest guest;
  for (std::uint64_t i = 0; i < count; ++i) guest.link(guest.node(i), guest.node(i + 1));
  guest.link(guest.node(count), last);
  return guest;
}

std::vector<KernelVirt> nodes(std::uint64_t first, std::uint64_t last) {
  std::vector<KernelVirt> result;
  for (std::uint64_t i = first; i <= last; ++i) result.push_back(ChainGuest::node(i));
  return result;
}

/// A bucket at node(0) with node(1) and node(2), which is followed by `last`.
Walked<KernelVirt> walk_two_and(std::uint64_t last) {
  ChainGuest guest;
  guest.link(guest.node(0), guest.node(1));
  guest.link(guest.node(1), guest.node(2));
  guest.put(guest.node(2), last);
  return walk_hlist(guest.translator(), guest.node(0));
}

}  // namespace

TEST_CASE("an empty list has no nodes") {
  const auto walked = walk_list(chain(0, ChainGuest::node(0)).translator(), ChainGuest::node(0));
  CHECK(walked.complete());
  CHECK(walked.items.empty());
}

TEST_CASE("the nodes come in order, without the head") {
  const auto walked = walk_list(chain(5, ChainGuest::node(0)).translator(), ChainGuest::node(0));
  CHECK(walked.complete());
  CHECK(walked.items == nodes(1, 5));
}

TEST_CASE("a cycle past the head is corrupt, and every node comes once") {
  for (std::uint64_t entry = 1; entry <= 9; ++entry) {
    CAPTURE(entry);
    const auto walked = walk_list(chain(9, ChainGuest::node(entry)).translator(), ChainGuest::node(0));
    CHECK(walked.end == WalkEnd::kCorrupt);
    CHECK(walked.items == nodes(1, 9));
  }
}

TEST_CASE("links that can't be pointers are corrupt, with the nodes before them kept") {
  for (const std::uint64_t wild : {std::uint64_t{0}, std::uint64_t{0xdead'0000'0000'0100},
                                   std::uint64_t{0x7f00'0000'0000}, ChainGuest::node(2).value() + 3}) {
    CAPTURE(wild);
    const auto walked = walk_list(chain(3, KernelVirt(wild)).translator(), ChainGuest::node(0));
    CHECK(walked.end == WalkEnd::kCorrupt);
    CHECK(walked.items == nodes(1, 3));
    CHECK(walked.at == KernelVirt(wild));
  }
}

TEST_CASE("a plausible link to unmapped memory is unreadable") {
  const auto walked = walk_list(chain(2, ChainGuest::unmapped()).translator(), ChainGuest::node(0));
  CHECK(walked.end == WalkEnd::kUnreadable);
  CHECK(walked.items == nodes(1, 2));
  CHECK(walk_list(ChainGuest().translator(), ChainGuest::unmapped()).end == WalkEnd::kUnreadable);
}

TEST_CASE("a list longer than the cap is truncated, one as long as it is complete") {
  const ChainGuest guest = chain(100, ChainGuest::node(0));
  const auto truncated = walk_list(guest.translator(), ChainGuest::node(0), 10);
  CHECK(truncated.end == WalkEnd::kTruncated);
  CHECK(truncated.items == nodes(1, 10));
  CHECK(truncated.at == ChainGuest::node(11));
  const auto two_more = walk_list(guest.translator(), ChainGuest::node(0), 98);
  CHECK(two_more.end == WalkEnd::kTruncated);
  CHECK(two_more.items.size() == 98);
  CHECK(walk_list(guest.translator(), ChainGuest::node(0), 100).complete());
}

TEST_CASE("a cycle within the cap is told apart from a long list") {
  const auto walked = walk_list(chain(10, ChainGuest::node(1)).translator(), ChainGuest::node(0), 10);
  CHECK(walked.end == WalkEnd::kCorrupt);
  CHECK(walked.items == nodes(1, 10));
}

TEST_CASE("an empty bucket has no nodes") {
  const auto walked = walk_hlist(ChainGuest().translator(), ChainGuest::node(0));
  CHECK(walked.complete());
  CHECK(walked.items.empty());
}

TEST_CASE("NULL and a nulls marker both end a bucket") {
  for (const std::uint64_t end : {0, 1, 0x2f}) {
    CAPTURE(end);
    const auto walked = walk_two_and(end);
    CHECK(walked.complete());
    CHECK(walked.items == std::vector{ChainGuest::node(1), ChainGuest::node(2)});
  }
}

TEST_CASE("a bucket that leads back into itself, astray or nowhere says so") {
  CHECK(walk_two_and(ChainGuest::node(1).value()).end == WalkEnd::kCorrupt);
  CHECK(walk_two_and(ChainGuest::node(1).value()).items.size() == 2);
  CHECK(walk_two_and(ChainGuest::node(0).value() + 2).end == WalkEnd::kCorrupt);
  CHECK(walk_two_and(ChainGuest::unmapped().value()).end == WalkEnd::kUnreadable);
  CHECK(walk_hlist(ChainGuest().translator(), ChainGuest::unmapped()).end == WalkEnd::kUnreadable);
}
