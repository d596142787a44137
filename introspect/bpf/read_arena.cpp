// ARENA (kernel/bpf/arena.c).
#include "introspect/bpf/arena_ranges.h"
#include "introspect/bpf/read_context.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

/// Half of GUARD_SZ: as far as a load or store with a signed 16-bit offset reaches below the arena.
constexpr std::uint64_t kGuardBytes = 1U << 15;
constexpr std::uint64_t kPageBytes = 4096;

/// Where the page that a struct page stands for is. nullopt: there is none, or it is none of vmemmap's.
std::optional<GuestPhys> page_at(const Kernel& kernel, std::optional<KernelVirt> page) {
  const auto type = kernel.btf().find_struct("page");
  const std::uint64_t size = type ? kernel.btf().size_of(*type).value_or(0) : 0;
  if (!page || size == 0 || *page < kernel.vmemmap_base()) return std::nullopt;
  return GuestPhys((*page - kernel.vmemmap_base()) / size * kPageBytes);
}

}  // namespace

Result<ArenaContents> read_arena(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map) {
  const BpfArenaLayout layout = KTSTR_TRY(layouts.arena);
  StructBytes arena;
  if (!arena.capture(kernel, layout.arena, map.address)) return map_unreadable("struct bpf_arena");
  ArenaContents contents;
  contents.user_vm_start = UserVirt(*layout.arena.user_vm_start.read(arena));
  contents.user_vm_end = UserVirt(*layout.arena.user_vm_end.read(arena));
  contents.kern_vm = *layout.arena.kern_vm.read(arena);
  contents.nr_pages = layout.arena.nr_pages.read(arena);
  if (!kernel.plausible_pointer(contents.kern_vm))
    return map_corrupt("the kernel's mapping is at no kernel address");
  StructBytes area;
  if (!area.capture(kernel, layout.area, contents.kern_vm)) return map_unreadable("struct vm_struct");
  contents.kern_vm_area = *layout.area.address.read(area);
  if (!kernel.plausible_pointer(contents.kern_vm_area, kPageBytes))
    return map_corrupt("the kernel's mapping has no address");
  contents.kern_vm_size = *layout.area.size.read(area);
  contents.kern_vm_start = contents.kern_vm_area + kGuardBytes;
  contents.scratch_page = page_at(kernel, layout.arena.scratch_page.read(arena));
  contents.allocated = allocated_arena_pages(kernel, layout, map.address, map.max_entries);
  return contents;
}

}  // namespace ktstr::introspect
