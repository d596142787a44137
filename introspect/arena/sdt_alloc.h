// The allocators of scx's lib/sdt_alloc.bpf.c in a scheduler: found in its .bss, walked in its arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/arena/arena_window.h"
#include "introspect/arena/sdt_snapshot.h"
#include "introspect/arena/sdt_walk.h"
#include "introspect/btf.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// What all slots of one allocator have in common.
struct SdtSlotKind {
  std::shared_ptr<const Btf> btf;  ///< the program's; `payload` is a number in it
  BtfTypeId payload{};
  std::uint64_t elem_size = 0;
  std::uint64_t header_bytes = 0;
};

/// From a place in one arena to the allocation that it points into. Places are those of
/// ArenaWindow::place_of(): an address is looked up only when all of it lies in the arena.
class ArenaSlotIndex {
 public:
  /// Adds an allocator's slots. A slot that is known already keeps what it was.
  void add(const SdtSlotKind& kind, std::span<const ArenaPlace> places);

  /// The payload of the slot that begins at `place`, or whose payload does; nullopt for any other place, in
  /// the middle of a slot too.
  [[nodiscard]] std::optional<ArenaObject> find(ArenaPlace place) const;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  std::vector<SdtSlotKind> kinds_;
  std::map<ArenaPlace, std::size_t> slots_;  ///< start -> index in kinds_
};

/// Allocators of one scheduler that are walked; any more are marked as cut off.
inline constexpr std::size_t kMaxSdtAllocators = 256;
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

/// One scx_allocator variable: what its slots are, and which of them are in use.
struct SdtAllocator {
  std::string name;
  SdtSlotKind kind;                 ///< payload 0: its type is unknown
  std::string payload_type_reason;  ///< why; "" otherwise
  SdtSlots slots;

  /// Those that its snapshot shows.
  [[nodiscard]] std::span<const ArenaPlace> shown() const {
    return std::span(slots.places).first(std::min(slots.places.size(), kMaxSdtAllocEntries));
  }
};

/// What is allocated, without what it holds.
struct SdtAllocations {
  std::vector<SdtAllocator> allocators;
  std::optional<std::string>
      unavailable;                ///< one of the reasons above; absent when the walk ran and found some
  ArenaSlotIndex slots;           ///< of allocators with a known payload type
  std::set<ArenaPlace> rendered;  ///< slots and payloads that snapshots of those show
};

/// Walks every scx_allocator variable of the section, at most kMaxSdtAllocators. `arena`: nullptr when there
/// is none. Allocators never used (no slot size yet) are left out. `budget`: what all of it may take;
/// nullptr: as much as there is.
[[nodiscard]] SdtAllocations find_sdt_allocations(const ArenaReader* arena, const ProgramSection& bss,
                                                  ReadBudget* budget = nullptr);

/// What a slot holds after its header, at most kMaxSdtPayloadBytes of it. nullopt: it can't be read.
[[nodiscard]] std::optional<std::vector<std::byte>> read_sdt_payload(const ArenaReader& arena,
                                                                     ArenaPlace slot,
                                                                     const SdtSlotKind& kind);

/// The allocator's slots by their type; as bytes when none of `nodes_left`, from which each takes its nodes,
/// are left. Pointers between allocations stay unfollowed unless `context` can do better.
[[nodiscard]] SdtAllocatorSnapshot render_sdt_allocator(const ArenaReader& arena,
                                                        const SdtAllocator& allocator,
                                                        const RenderContext& context,
                                                        std::size_t& nodes_left);

/// The allocator of a map's values: the only one with a known payload type, or of these the one that shares
/// the map's name ("scx_task_map": "scx_task_allocator"). nullptr: none, or several could be meant.
[[nodiscard]] const SdtAllocator* allocator_for_map(const std::vector<SdtAllocator>& allocators,
                                                    std::string_view map_name);

}  // namespace ktstr::introspect
