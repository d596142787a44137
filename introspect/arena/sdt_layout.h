// The structures of scx's lib/sdt_alloc.bpf.c (lib/sdt_task_defs.h), as a scheduler's own BTF lays them out.
#pragma once

#include <array>
#include <cstdint>

#include "introspect/layout.h"

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

}  // namespace ktstr::introspect
