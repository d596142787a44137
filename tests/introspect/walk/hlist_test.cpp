#include "introspect/walk/hlist.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/introspect/walk/chain_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// A bucket at node(0) with node(1) and node(2), which is followed by `last`.
Walked<KernelVirt> walk_two_and(std::uint64_t last) {
  ChainGuest guest;
  guest.link(guest.node(0), guest.node(1));
  guest.link(guest.node(1), guest.node(2));
  guest.put(guest.node(2), last);
  return walk_hlist(guest.translator(), guest.node(0));
}

}  // namespace

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
