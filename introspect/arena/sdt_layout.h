// The structures of scx's lib/sdt_alloc.bpf.c (lib/sdt_task_defs.h), as a scheduler's own BTF lays them out.
#pragma once

#include <array>
#include <cstdint>

#include "introspect/layout.h"

namespace ktstr::introspect {

inline constexpr std::size_t kSdtLevels = 3;          ///< SDT_TASK_LEVELS
inline constexpr std::size_t kSdtChunkEntries = 512;  ///< SDT_TASK_ENTS_PER_CHUNK
using SdtBitmap = std::array<std::uint64_t, kSdtChunkEntries / 64>;

/// A node of the radix tree. In a leaf a bit of `allocated` is a slot in use, above it a subtree that is
/// full.
struct SdtDescLayout : StructLayout {
  SdtDescLayout() : StructLayout({"sdt_desc"}) {}
  Field<SdtBitmap> allocated{*this, {"allocated"}};
  Field<std::uint64_t> nr_free{*this, {"nr_free"}};
  Field<std::uint64_t> chunk{*this, {"chunk"}};
};

struct SdtLayout {
  SdtDescLayout desc;
  /// Of the pointers within struct sdt_chunk; 0 where the program only declares it.
  std::uint64_t chunk_offset = 0;
  /// Of what precedes the payload in a slot: sizeof(struct sdt_data), the 8 bytes of its union sdt_id.
  std::uint64_t header_bytes = 8;

  /// Error: the program lacks scx_allocator, sdt_pool or sdt_desc, or a member of theirs.
  [[nodiscard]] static Result<SdtLayout> resolve(const Btf& btf);
};

}  // namespace ktstr::introspect
