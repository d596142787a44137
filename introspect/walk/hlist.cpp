#include "introspect/walk/hlist.h"

#include "introspect/walk/chain.h"

namespace ktstr::introspect {

Walked<KernelVirt> walk_hlist(const Translator& memory, KernelVirt head, std::size_t cap) {
  const auto first = memory.read<KernelVirt>(head);
  if (first)
    return walk_chain(memory, *first, cap,
                      [](KernelVirt node) { return node.is_null() || (node.value() & 1) != 0; });
  Walked<KernelVirt> walked;
  walked.stop(WalkEnd::kUnreadable, "the bucket is in unmapped memory", head);
  return walked;
}

}  // namespace ktstr::introspect
