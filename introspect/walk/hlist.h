// struct hlist_head and hlist_nulls_head: hash bucket lists (include/linux/list.h,
// include/linux/list_nulls.h).
#pragma once

#include "introspect/translator.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// The addresses of the hlist_nodes in the bucket at `head`. The end is NULL, or a nulls marker (lowest bit
/// set).
[[nodiscard]] Walked<KernelVirt> walk_hlist(const Translator& memory, KernelVirt head,
                                            std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
