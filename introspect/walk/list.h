// struct list_head: the kernel's circular doubly linked list (include/linux/list.h).
#pragma once

#include "introspect/translator.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// The addresses of the list_heads linked into the list at `head`, `head` itself left out; subtract the
/// member's offset to get the structures. Follows `next` only: a list_del_rcu() in progress leaves that
/// intact. Reads at most 3 * cap nodes.
[[nodiscard]] Walked<KernelVirt> walk_list(const Translator& memory, KernelVirt head,
                                           std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
