#include "introspect/walk/list.h"

#include "introspect/walk/chain.h"

namespace ktstr::introspect {

Walked<KernelVirt> walk_list(const Translator& memory, KernelVirt head, std::size_t cap) {
  const auto first = memory.read<KernelVirt>(head);
  if (first) return walk_chain(memory, *first, cap, [head](KernelVirt node) { return node == head; });
  Walked<KernelVirt> walked;
  walked.stop(WalkEnd::kUnreadable, "the list's head is in unmapped memory", head);
  return walked;
}

}  // namespace ktstr::introspect
