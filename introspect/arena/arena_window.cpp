#include "introspect/arena/arena_window.h"

#include <algorithm>

#include "introspect/translator.h"

namespace ktstr::introspect {

ArenaWindow window_of(const ArenaContents& arena, std::uint64_t max_entries) {
  constexpr std::uint64_t kMostPages = kMaxArenaBytes / kArenaPageBytes;
  return {arena.user_vm_start.value(), arena.kern_vm_start, arena.scratch_page,
          std::min(max_entries, kMostPages) * kArenaPageBytes};
}

bool ArenaReader::read(std::uint64_t address, std::span<std::byte> out) const {
  const auto place = window_.place_of(address);
  return place && read_at(*place, out);
}

bool ArenaReader::read_at(std::uint64_t place, std::span<std::byte> out) const {
  const std::uint64_t within_arena = place - static_cast<ArenaPlace>(window_.user_vm_start);
  if (within_arena > window_.length() || out.size() > window_.length() - within_arena) return false;
  KernelVirt next = window_.kern_vm_start + place;
  while (!out.empty()) {
    const auto page = translator_->translate(next);
    const std::uint64_t within = next.value() % kArenaPageBytes;
    if (!page || (window_.scratch_page && page->address - within == *window_.scratch_page)) return false;
    const auto piece = out.first(std::min<std::uint64_t>(out.size(), kArenaPageBytes - within));
    if (!translator_->memory().read(page->address, piece)) return false;
    out = out.subspan(piece.size());
    next = next + piece.size();
  }
  return true;
}

}  // namespace ktstr::introspect
