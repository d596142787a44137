// Walking an sdt_alloc allocator's radix tree in an arena.
#pragma once

#include <cstdint>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/arena/sdt_layout.h"
#include "introspect/read_budget.h"

namespace ktstr::introspect {

/// Slots that one walk gives. The tree itself has room for 2^27.
inline constexpr std::size_t kMaxSdtSlots = 1U << 18;
/// Nodes that one walk reads: enough for that many slots and the levels above them.
inline constexpr std::size_t kMaxSdtNodes = 4096;

struct SdtSlots {
  std::vector<ArenaPlace> places;      ///< of the slots in use (struct sdt_data), in the tree's order
  bool truncated = false;              ///< a cap was reached
  std::uint32_t skipped_subtrees = 0;  ///< unreadable or contradicting themselves
};

/// The slots in use below the node at arena address `root` (scx_allocator.root); none when it is 0. The guest
/// may have written anything: pointers out of the arena, nodes met twice, counts beyond 512 and unreadable
/// nodes are skipped and counted. Nodes and slots are taken from the budget, if there is one.
[[nodiscard]] SdtSlots walk_sdt_tree(const ArenaReader& arena, const SdtLayout& layout, std::uint64_t root,
                                     ReadBudget* budget = nullptr);

}  // namespace ktstr::introspect
