#include "introspect/walk/rbtree.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/walk/chain_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// A guest whose root is node(0); the tree's nodes are built by number.
struct TreeGuest : ChainGuest {
  TreeGuest() {
    FakeBtf btf;
    const int word = btf.integer("unsigned long", 8);
    btf.structure("rb_root", 8, {{"rb_node", word, 0}});
    btf.structure("rb_node", 24,
                  {{"__rb_parent_color", word, 0}, {"rb_right", word, 64}, {"rb_left", word, 128}});
    REQUIRE(layout.resolve(btf.parsed()));
  }
  void set_root(std::uint64_t top) { link(node(0), node(top)); }
  void set_node(std::uint64_t i, std::uint64_t parent, std::uint64_t left, std::uint64_t right) {
    const auto place = [](std::uint64_t n) { return n == 0 ? 0 : node(n).value(); };
    put(node(i), place(parent) | 1);
    put(node(i) + 8, place(right));
    put(node(i) + 16, place(left));
  }
  [[nodiscard]] Walked<KernelVirt> walk(std::size_t cap = kDefaultWalkCap) const {
    return walk_rbtree(translator(), layout, node(0), cap);
  }
  RbtreeLayout layout;
};

/// 4 with 2 (1, 3) and 5 below it.
TreeGuest five_nodes() {
  TreeGuest guest;
  guest.set_root(4);
  guest.set_node(4, 0, 2, 5);
  guest.set_node(2, 4, 1, 3);
  guest.set_node(1, 2, 0, 0);
  guest.set_node(3, 2, 0, 0);
  guest.set_node(5, 4, 0, 0);
  return guest;
}

}  // namespace

TEST_CASE("an empty tree has no nodes") {
  CHECK(TreeGuest().walk().complete());
  CHECK(TreeGuest().walk().items.empty());
}

TEST_CASE("nodes come in order, whatever their depth") {
  const auto walked = five_nodes().walk();
  CHECK(walked.complete());
  CHECK(walked.items == std::vector{ChainGuest::node(1), ChainGuest::node(2), ChainGuest::node(3),
                                    ChainGuest::node(4), ChainGuest::node(5)});
}

TEST_CASE("a tree larger than the cap is cut") {
  const auto walked = five_nodes().walk(3);
  CHECK(walked.end == WalkEnd::kTruncated);
  CHECK(walked.items.size() == 3);
  CHECK(five_nodes().walk(5).complete());
}

TEST_CASE("a node that does not know its parent ends the walk, so that none is found twice") {
  auto guest = five_nodes();
  SUBCASE("a child that leads back to the root") {
    guest.set_node(3, 2, 4, 0);
  }
  SUBCASE("a node below two parents") {
    guest.set_node(5, 4, 3, 0);
  }
  SUBCASE("a node twice below one parent") {
    guest.set_node(5, 4, 3, 3), guest.set_node(3, 5, 0, 0);
  }
  SUBCASE("a node below itself") {
    guest.set_node(5, 4, 5, 0);
  }
  const auto walked = guest.walk();
  CHECK(walked.end == WalkEnd::kCorrupt);
  CHECK(walked.reason == "a node that is not its parent's child");
  CHECK(walked.items.size() <= 5);
}

TEST_CASE("a chain that no balanced tree could be is not followed to its end") {
  TreeGuest guest;
  guest.set_root(1);
  for (std::uint64_t i = 1; i < 500; ++i) guest.set_node(i, i - 1, i + 1, 0);
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
}

TEST_CASE("children that lead astray or nowhere are told apart") {
  auto guest = five_nodes();
  guest.put(guest.node(5) + 8, 0x1234);
  CHECK(guest.walk().end == WalkEnd::kCorrupt);
  CHECK(guest.walk().items.size() == 5);
  guest.link(guest.node(5) + 8, guest.unmapped());
  CHECK(guest.walk().end == WalkEnd::kUnreadable);
  CHECK(walk_rbtree(guest.translator(), guest.layout, guest.unmapped()).end == WalkEnd::kUnreadable);
}
