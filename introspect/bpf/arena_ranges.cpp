#include "introspect/bpf/arena_ranges.h"

#include "introspect/walk/rbtree.h"

namespace ktstr::introspect {

/// The tree holds what is free, by the first page of each range.
std::optional<std::vector<ArenaPageRange>> allocated_arena_pages(const Kernel& kernel,
                                                                 const BpfArenaLayout& layout, KernelVirt map,
                                                                 std::uint32_t max_entries) {
  if (!layout.arena.free_ranges.present() || !layout.ranges) return std::nullopt;
  const auto& [tree, node] = *layout.ranges;
  const auto walked =
      walk_rbtree(kernel.translator(), tree, layout.arena.free_ranges.address(map), kMaxArenaHoles);
  if (!walked.complete()) return std::nullopt;
  std::vector<ArenaPageRange> allocated;
  std::uint64_t next = 0;  // the first page that no range was told of yet
  for (const KernelVirt place : walked.items) {
    const KernelVirt range = place - node.links.offset();
    const auto first = node.first.read(kernel, range);
    const auto last = node.last.read(kernel, range);
    if (!first || !last || *first < next || *last < *first || *last >= max_entries) return std::nullopt;
    if (*first > next) allocated.push_back({next, *first - next});
    next = std::uint64_t{*last} + 1;
  }
  if (next < max_entries) allocated.push_back({next, max_entries - next});
  return allocated;
}

}  // namespace ktstr::introspect
