// ArenaSnapshot: the pages of one arena map.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/arena/arena_window.h"
#include "introspect/paging.h"

namespace ktstr::introspect {

struct ArenaPage {
  std::uint64_t user_addr = 0;
  std::vector<std::uint8_t> bytes;

  static consteval auto describe() {
    using T = ArenaPage;
    return record("one allocated page of an arena",
                  field<&T::user_addr>("its address as programs and user space see it"),
                  field<&T::bytes>("its 4096 bytes"));
  }
};

struct ArenaSnapshot {
  std::vector<ArenaPage> pages;
  bool truncated = false;  ///< the cap was reached: there may be more
  std::uint64_t declared_pages = 0;
  bool span_capped = false;  ///< max_entries said more
  std::uint64_t kern_vm_start = 0;
  std::uint64_t user_vm_start = 0;

  static consteval auto describe() {
    using T = ArenaSnapshot;
    return record("the allocated pages of an arena map", field<&T::pages>("allocated pages by address"),
                  field<&T::truncated>("whether the page cap was reached before the arena's end"),
                  field<&T::declared_pages>("pages that the map may hold, at most 4 GB"),
                  field<&T::span_capped>("whether the map declared more than 4 GB"),
                  field<&T::kern_vm_start>("kernel address that low 32 bits of arena addresses count from"),
                  field<&T::user_vm_start>("first user address of the arena"));
  }
};

/// Pages that one snapshot holds: 16 MB.
inline constexpr std::size_t kMaxArenaPages = 4096;

/// The allocated pages of an arena of `max_entries` pages. The page tables tell which they are, however far
/// apart; pages that can't be read are left out. `within`: where to look; nullptr: everywhere, which is 2049
/// page tables for an arena of 4 GB.
[[nodiscard]] ArenaSnapshot snapshot_arena(const ArenaReader& arena, std::uint64_t max_entries,
                                           std::size_t max_pages = kMaxArenaPages,
                                           const std::vector<ArenaPageRange>* within = nullptr);

/// Calls visit(address, page) for each mapped 4 KB page of [begin, begin + length), in order, until it gives
/// false. Page tables are read whole, and absent ones cost one read for all that they would map: 4 GB of
/// which every table exists are 2048 reads of 4 KB. Pages of 2 MB and 1 GB are skipped. Precondition: begin
/// is a multiple of 4096.
void for_each_mapped_page(const PhysicalMemory& memory, const PageTable& table, KernelVirt begin,
                          std::uint64_t length, const std::function<bool(KernelVirt, GuestPhys)>& visit);

}  // namespace ktstr::introspect
