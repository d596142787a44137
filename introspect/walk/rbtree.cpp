#include "introspect/walk/rbtree.h"

#include <vector>

#include "introspect/translator.h"

namespace ktstr::introspect {
namespace {

/// A red-black tree of n nodes is at most 2 * log2(n + 1) deep.
constexpr std::size_t kMaxDepth = 64;
/// RB_RED, RB_BLACK and one spare bit lie in the lowest bits of the parent's address.
constexpr std::uint64_t kColorMask = 3;

class RbtreeWalk {
 public:
  RbtreeWalk(const Translator& memory, const RbtreeLayout& layout, std::size_t cap)
      : memory_(memory), layout_(layout), cap_(cap) {}

  Walked<KernelVirt> from_root(KernelVirt root) && {
    const auto top = layout_.root.node.read(memory_, root);
    if (!top) return Walked<KernelVirt>::unreadable("the tree's root is in unmapped memory", root);
    descend(*top, KernelVirt{});
    drain();
    return std::move(walked_);
  }

 private:
  struct Pending {
    KernelVirt node;
    KernelVirt right;
  };

  /// Puts `node` and its left descendants on the path.
  void descend(KernelVirt node, KernelVirt parent) {
    while (!node.is_null() && walked_.complete()) {
      if (!memory_.plausible_pointer(node))
        return walked_.stop(WalkEnd::kCorrupt, "a child that is no kernel pointer", node);
      if (path_.size() == kMaxDepth)
        return walked_.stop(WalkEnd::kCorrupt, "a tree too deep to be balanced", node);
      if (!bytes_.capture(memory_, layout_.node, node))
        return walked_.stop(WalkEnd::kUnreadable, "a node in unmapped memory", node);
      const KernelVirt left = *layout_.node.left.read(bytes_);
      const KernelVirt right = *layout_.node.right.read(bytes_);
      if ((*layout_.node.parent_and_color.read(bytes_) & ~kColorMask) != parent.value() ||
          (left == right && !left.is_null()))
        return walked_.stop(WalkEnd::kCorrupt, "a node that is not its parent's child", node);
      path_.push_back({node, right});
      parent = node;
      node = left;
    }
  }

  void drain() {
    while (!path_.empty() && walked_.complete()) {
      const Pending next = path_.back();
      path_.pop_back();
      if (walked_.items.size() == cap_)
        return walked_.stop(WalkEnd::kTruncated, "more nodes than the cap", next.node);
      walked_.items.push_back(next.node);
      descend(next.right, next.node);
    }
  }

  const Translator& memory_;
  const RbtreeLayout& layout_;
  std::size_t cap_;
  Walked<KernelVirt> walked_;
  std::vector<Pending> path_;
  StructBytes bytes_;
};

}  // namespace

Walked<KernelVirt> walk_rbtree(const Translator& memory, const RbtreeLayout& layout, KernelVirt root,
                               std::size_t cap) {
  return RbtreeWalk(memory, layout, cap).from_root(root);
}

}  // namespace ktstr::introspect
