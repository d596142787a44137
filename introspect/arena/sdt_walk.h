// Walking an sdt_alloc allocator's radix tree in an arena; the structures of scx's lib/sdt_alloc.bpf.c
// (lib/sdt_task_defs.h), as a scheduler's own BTF lays them out.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/layout.h"
#include "introspect/read_budget.h"

namespace ktstr::introspect {

inline constexpr std::size_t kSdtLevels = 3;          ///< SDT_TASK_LEVELS
inline constexpr std::size_t kSdtChunkEntries = 512;  ///< SDT_TASK_ENTS_PER_CHUNK
using SdtBitmap = std::array<std::uint64_t, kSdtChunkEntries / 64>;

/// struct sdt_desc, a node of the radix tree. In a leaf a bit of `allocated` is a slot in use, above it a
/// subtree that is full.
struct SdtDescLayout : LayoutOf<"sdt_desc"> {
  Field<SdtBitmap> allocated{*this, {"allocated"}};
  Field<std::uint64_t> nr_free{*this, {"nr_free"}};
  Field<std::uint64_t> chunk{*this, {"chunk"}};
};

/// Where things are, in bytes. A compiler leaves out what a program reaches through pointers only; such a
/// structure is then merely declared in its BTF, and is as lib/sdt_task_defs.h defines it.
struct SdtLayout {
  std::uint64_t desc_bytes = 80;
  std::uint64_t desc_allocated = 0;
  std::uint64_t desc_nr_free = 64;
  std::uint64_t desc_chunk = 72;
  std::uint64_t chunk_pointers = 0;  ///< sdt_chunk.descs and .data, a union
  std::uint64_t header_bytes = 8;    ///< sizeof(struct sdt_data): its union sdt_id, before the payload

  /// Error: the program has no scx_allocator with an element size and a root that points to a struct
  /// sdt_desc.
  [[nodiscard]] static Result<SdtLayout> resolve(const Btf& btf);
};

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
