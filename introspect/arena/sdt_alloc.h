// The allocators of scx's lib/sdt_alloc.bpf.c in a scheduler: found in its .bss, walked in its arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/arena/sdt_snapshot.h"
#include "introspect/arena/slot_index.h"
#include "introspect/btf.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// Allocations that one allocator's snapshot renders; the index has them all.
inline constexpr std::size_t kMaxSdtAllocEntries = 4096;
/// Nodes of all payloads that one report renders; those beyond are shown as bytes.
inline constexpr std::size_t kMaxSdtValues = std::size_t{1} << 22;
/// Bytes of one payload that are read.
inline constexpr std::uint64_t kMaxSdtPayloadBytes = 1U << 16;

/// Why there are no allocations to show (FailureDumpReport.sdt_alloc_unavailable).
inline constexpr std::string_view kSdtAllocDeadlineExceeded =
    "dump deadline exceeded before sdt_alloc pre-pass could run";
inline constexpr std::string_view kSdtAllocUnalignedUserVm =
    "user_vm_start is not 4 GiB-aligned; low-32 keying disabled";
inline constexpr std::string_view kSdtAllocNoBss = "no scheduler .bss map (or .bss has no program BTF)";
inline constexpr std::string_view kSdtAllocNoArena = "no arena map captured (kern_vm_start unavailable)";
inline constexpr std::string_view kSdtAllocNoType = "scheduler BTF does not declare struct scx_allocator";
inline constexpr std::string_view kSdtAllocNoInstance = "no scx_allocator instance in .bss";

/// A scheduler's .bss.
struct ProgramSection {
  std::shared_ptr<const Btf> btf;    ///< the program's; null: not to be had
  BtfTypeId type{};                  ///< its DATASEC
  std::span<const std::byte> bytes;  ///< empty: no such map, or unreadable
};

/// How to expand pointers of one allocator, for those who know its name.
struct SdtAllocatorKind {
  std::string allocator_name;
  SdtSlotKind slots;
};

struct SdtAllocations {
  std::vector<SdtAllocatorSnapshot> snapshots;
  std::optional<std::string>
      unavailable;                      ///< one of the reasons above; absent when the walk ran and found some
  std::vector<SdtAllocatorKind> kinds;  ///< those with a known payload type
  ArenaSlotIndex slots;                 ///< of the same
  std::set<std::uint32_t> rendered;     ///< low halves of slot and payload addresses shown in `snapshots`
};

/// Walks every scx_allocator variable of the section. `arena`: nullptr when there is none. `context` renders
/// the payloads; pointers between allocations stay unfollowed unless it can do better. Allocators never used
/// (no slot size yet) are left out.
[[nodiscard]] SdtAllocations read_sdt_allocations(const ArenaReader* arena, const ProgramSection& bss,
                                                  const RenderContext& context);

/// The kind for a map's values: the only one, or the one whose allocator shares the map's name
/// ("scx_task_map": "scx_task_allocator"). nullptr: none, or several could be meant.
[[nodiscard]] const SdtAllocatorKind* kind_for_map(const std::vector<SdtAllocatorKind>& kinds,
                                                   std::string_view map_name);

}  // namespace ktstr::introspect
