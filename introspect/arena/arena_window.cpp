#include "introspect/arena/arena_window.h"

#include <algorithm>

namespace ktstr::introspect {

ArenaWindow window_of(const ArenaContents& arena) {
  return {arena.user_vm_start.value(), arena.kern_vm_start, arena.scratch_page};
}

bool ArenaReader::read(std::uint64_t address, std::span<std::byte> out) const {
  std::uint64_t offset = static_cast<std::uint32_t>(address);
  if (out.size() > kMaxArenaBytes - offset) return false;
  while (!out.empty()) {
    const auto page = translator_->translate(window_.kern_vm_start + offset);
    const std::uint64_t within = offset % kArenaPageBytes;
    if (!page || (window_.scratch_page && page->address - within == *window_.scratch_page)) return false;
    const auto piece = out.first(std::min<std::uint64_t>(out.size(), kArenaPageBytes - within));
    if (!translator_->memory().read(page->address, piece)) return false;
    out = out.subspan(piece.size());
    offset += piece.size();
  }
  return true;
}

}  // namespace ktstr::introspect
