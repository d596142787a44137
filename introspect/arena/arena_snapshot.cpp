#include "introspect/arena/arena_snapshot.h"

#include <algorithm>

#include "introspect/arena/mapped_pages.h"
#include "introspect/translator.h"

namespace ktstr::introspect {

ArenaSnapshot snapshot_arena(const ArenaReader& arena, std::uint64_t max_entries, std::size_t max_pages,
                             const std::vector<ArenaPageRange>* within) {
  constexpr std::uint64_t kMostPages = kMaxArenaBytes / kArenaPageBytes;
  const ArenaWindow& window = arena.window();
  const PhysicalMemory& memory = arena.translator().memory();
  ArenaSnapshot snapshot;
  snapshot.declared_pages = std::min(max_entries, kMostPages);
  snapshot.span_capped = max_entries > kMostPages;
  snapshot.kern_vm_start = window.kern_vm_start.value();
  snapshot.user_vm_start = window.user_vm_start;
  const KernelVirt first = window.kernel_address(static_cast<ArenaPlace>(window.user_vm_start));
  const auto take = [&](KernelVirt address, GuestPhys page) {
    if (window.scratch_page == page) return true;
    if (snapshot.pages.size() == max_pages) {
      snapshot.truncated = true;
      return false;
    }
    ArenaPage taken{window.user_vm_start + (address - first), std::vector<std::uint8_t>(kArenaPageBytes)};
    if (memory.read(page, std::as_writable_bytes(std::span(taken.bytes))))
      snapshot.pages.push_back(std::move(taken));
    return true;
  };
  const std::uint64_t end = std::min(snapshot.declared_pages, window.length() / kArenaPageBytes);
  const std::vector<ArenaPageRange> everywhere{{0, end}};
  for (const ArenaPageRange& range : within ? *within : everywhere) {
    if (snapshot.truncated || range.first >= end) break;
    for_each_mapped_page(memory, arena.translator().table(), first + range.first * kArenaPageBytes,
                         std::min(range.count, end - range.first) * kArenaPageBytes, take);
  }
  return snapshot;
}

}  // namespace ktstr::introspect
