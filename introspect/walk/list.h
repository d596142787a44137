// struct list_head, the circular doubly linked list, and the buckets of hash tables: hlist_head and
// hlist_nulls_head (include/linux/list.h, include/linux/list_nulls.h).
#pragma once

#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

class Translator;

/// The addresses of the list_heads linked into the list at `head`, `head` itself left out; subtract the
/// member's offset to get the structures. Follows `next` only: a list_del_rcu() in progress leaves that
/// intact. Reads at most 3 * cap nodes.
[[nodiscard]] Walked<KernelVirt> walk_list(const Translator& memory, KernelVirt head,
                                           std::size_t cap = kDefaultWalkCap);

/// The addresses of the hlist_nodes in the bucket at `head`. The end is NULL, or a nulls marker (lowest bit
/// set).
[[nodiscard]] Walked<KernelVirt> walk_hlist(const Translator& memory, KernelVirt head,
                                            std::size_t cap = kDefaultWalkCap);

/// The same from the bucket's first node on.
[[nodiscard]] Walked<KernelVirt> walk_hlist_nodes(const Translator& memory, KernelVirt first,
                                                  std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
