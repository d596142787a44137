#include "introspect/walk/list.h"

#include "introspect/translator.h"
#include "introspect/walk/cycle_check.h"

namespace ktstr::introspect {
namespace {

/// Collects the nodes from `node` on, each of which holds the next one's address in its first word, until
/// is_end(node) is true. Any cycle with at most `cap` nodes before it closes is seen within 3 * cap nodes, so
/// none of the first `cap` comes twice.
template <class IsEnd>
Walked<KernelVirt> walk_chain(const Translator& memory, KernelVirt node, std::size_t cap, IsEnd is_end) {
  Walked<KernelVirt> walked;
  CycleCheck cycle;
  while (!is_end(node)) {
    if (!memory.plausible_pointer(node)) {
      walked.stop(WalkEnd::kCorrupt, "a link that is no kernel pointer", node);
      break;
    }
    if (cycle.closes(node)) {
      cycle.keep_distinct(walked.items);
      walked.stop(WalkEnd::kCorrupt, "the links form a cycle", node);
      break;
    }
    if (walked.items.size() > 3 * cap) break;
    const auto next = memory.read<KernelVirt>(node);
    if (!next) {
      walked.stop(WalkEnd::kUnreadable, "a node in unmapped memory", node);
      break;
    }
    walked.items.push_back(node);
    node = *next;
  }
  if (walked.items.size() > cap) {
    if (walked.end != WalkEnd::kCorrupt)
      walked.stop(WalkEnd::kTruncated, "more nodes than the cap", walked.items[cap]);
    walked.items.resize(cap);
  }
  return walked;
}

}  // namespace

Walked<KernelVirt> walk_list(const Translator& memory, KernelVirt head, std::size_t cap) {
  const auto first = memory.read<KernelVirt>(head);
  if (!first) return Walked<KernelVirt>::unreadable("the list's head is in unmapped memory", head);
  return walk_chain(memory, *first, cap, [head](KernelVirt node) { return node == head; });
}

Walked<KernelVirt> walk_hlist(const Translator& memory, KernelVirt head, std::size_t cap) {
  const auto first = memory.read<KernelVirt>(head);
  if (!first) return Walked<KernelVirt>::unreadable("the bucket is in unmapped memory", head);
  return walk_hlist_nodes(memory, *first, cap);
}

Walked<KernelVirt> walk_hlist_nodes(const Translator& memory, KernelVirt first, std::size_t cap) {
  return walk_chain(memory, first, cap,
                    [](KernelVirt node) { return node.is_null() || (node.value() & 1) != 0; });
}

}  // namespace ktstr::introspect
