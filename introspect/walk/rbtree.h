// struct rb_root: the kernel's red-black tree (include/linux/rbtree_types.h, lib/rbtree.c).
#pragma once

#include <cstdint>

#include "introspect/layout.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

class Translator;

struct RbtreeLayout {
  struct Root : LayoutOf<"rb_root"> {
    Field<KernelVirt> node{*this, {"rb_node"}};
  };
  struct Node : LayoutOf<"rb_node"> {
    Field<std::uint64_t> parent_and_color{*this, {"__rb_parent_color"}};
    Field<KernelVirt> left{*this, {"rb_left"}};
    Field<KernelVirt> right{*this, {"rb_right"}};
  };

  Root root;
  Node node;

  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&root, &node}); }
};

/// The addresses of the rb_nodes in the tree at `root` (a struct rb_root), in the tree's order. Every node
/// must name the node it was reached from as its parent, so that none is found twice; one that does not, or
/// lies deeper than a balanced tree of 2^32 nodes could, ends the walk as kCorrupt. Reads at most `cap` + 64
/// nodes.
[[nodiscard]] Walked<KernelVirt> walk_rbtree(const Translator& memory, const RbtreeLayout& layout,
                                             KernelVirt root, std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
