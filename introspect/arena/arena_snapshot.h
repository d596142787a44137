// ArenaSnapshot: the pages of one arena map.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/arena/arena_window.h"

namespace ktstr::introspect {

struct ArenaPage {
  std::uint64_t user_addr = 0;      ///< as programs and user space see it, all 64 bits
  std::vector<std::uint8_t> bytes;  ///< 4096 of them
};

struct ArenaSnapshot {
  std::vector<ArenaPage> pages;      ///< the allocated ones, by address
  bool truncated = false;            ///< the cap was reached: there may be more
  std::uint64_t declared_pages = 0;  ///< the map's max_entries, at most 4 GB of them
  bool span_capped = false;          ///< max_entries said more
  std::uint64_t kern_vm_start = 0;
  std::uint64_t user_vm_start = 0;
};

/// Pages that one snapshot holds: 16 MB.
inline constexpr std::size_t kMaxArenaPages = 4096;

/// The allocated pages of an arena of `max_entries` pages. The page tables tell which they are, however far
/// apart; pages that can't be read are left out. `within`: where to look; nullptr: everywhere, which is 2049
/// page tables for an arena of 4 GB.
[[nodiscard]] ArenaSnapshot snapshot_arena(const ArenaReader& arena, std::uint64_t max_entries,
                                           std::size_t max_pages = kMaxArenaPages,
                                           const std::vector<ArenaPageRange>* within = nullptr);

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ArenaPage> = [] {
  using T = introspect::ArenaPage;
  return record<T>("ArenaPage", "one allocated page of an arena",
                   field("user_addr", &T::user_addr, "its address as programs and user space see it"),
                   field("bytes", &T::bytes, "its 4096 bytes"));
}();
template <>
inline constexpr auto describe<introspect::ArenaSnapshot> = [] {
  using T = introspect::ArenaSnapshot;
  return record<T>(
      "ArenaSnapshot", "the allocated pages of an arena map",
      field("pages", &T::pages, "allocated pages by address"),
      field("truncated", &T::truncated, "whether the page cap was reached before the arena's end"),
      field("declared_pages", &T::declared_pages, "pages that the map may hold, at most 4 GB"),
      field("span_capped", &T::span_capped, "whether the map declared more than 4 GB"),
      field("kern_vm_start", &T::kern_vm_start,
            "kernel address that low 32 bits of arena addresses count from"),
      field("user_vm_start", &T::user_vm_start, "first user address of the arena"));
}();
}  // namespace ktstr
