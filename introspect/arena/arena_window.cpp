#include "introspect/arena/arena_window.h"

#include <algorithm>

namespace ktstr::introspect {

Result<ArenaLayout> ArenaLayout::resolve(const Btf& btf) {
  ArenaLayout layout;
  KTSTR_TRY_STATUS(resolve_all(btf, {&layout.arena, &layout.area}));
  if (const auto page = btf.find_struct("page")) layout.page_struct_bytes = btf.size_of(*page).value_or(0);
  return layout;
}

Result<ArenaWindow> locate_arena(const Kernel& kernel, const ArenaLayout& layout, KernelVirt arena) {
  const auto user_vm_start = layout.arena.user_vm_start.read(kernel, arena);
  const auto area = layout.arena.kern_vm.read(kernel, arena);
  if (!user_vm_start || !area) return Error{ErrorCode::kOutOfRange, "struct bpf_arena can't be read"};
  if (!kernel.translator().plausible_pointer(*area))
    return Error{ErrorCode::kCorrupt, "the arena has no kernel mapping (kern_vm)"};
  const auto start = layout.area.address.read(kernel, *area);
  if (!start) return Error{ErrorCode::kOutOfRange, "the arena's vm_struct can't be read"};
  if (!kernel.translator().plausible_pointer(*start, kArenaPageBytes))
    return Error{ErrorCode::kCorrupt, "the arena's kernel mapping has no address"};
  ArenaWindow window{*user_vm_start, *start + kArenaGuardBytes, std::nullopt};
  const auto scratch = layout.arena.scratch_page.read(kernel, arena);
  if (scratch && *scratch >= kernel.vmemmap_base() && layout.page_struct_bytes != 0)
    window.scratch_page =
        GuestPhys((*scratch - kernel.vmemmap_base()) / layout.page_struct_bytes * kArenaPageBytes);
  return window;
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
