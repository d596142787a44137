// ARENA (kernel/bpf/arena.c), and which of its pages are in use (kernel/bpf/range_tree.c).
#include "introspect/bpf/read_map.h"
#include "introspect/walk/rbtree.h"

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

/// More holes than this, and asking the page tables for everything is as fast.
constexpr std::size_t kMaxArenaHoles = 512;

/// The pages of the arena map at `map` that are allocated, ascending, of `max_entries`. The kernel's tree
/// holds what is free, by the first page of each range. nullopt: this kernel keeps no such tree, it has more
/// than kMaxArenaHoles, or it can't be read or believed.
std::optional<std::vector<ArenaPageRange>> allocated_pages(const Kernel& kernel, const BpfArenaLayout& layout,
                                                           KernelVirt map, std::uint32_t max_entries) {
  if (!layout.arena.free_ranges.present() || !layout.ranges) return std::nullopt;
  const auto& [tree, node] = *layout.ranges;
  const auto walked =
      walk_rbtree(kernel.translator(), tree, layout.arena.free_ranges.address(map), kMaxArenaHoles);
  if (!walked.complete()) return std::nullopt;
  std::vector<ArenaPageRange> allocated;
  std::uint64_t next = 0;  // the first page that no range has reported yet
  for (const KernelVirt place : walked.items) {
    const KernelVirt range = place - node.links.offset();
    const auto first = node.first.read(kernel, range);
    const auto last = node.last.read(kernel, range);
    if (!first || !last || *first < next || *last < *first || *last >= max_entries) return std::nullopt;
    if (*first > next) allocated.push_back({next, *first - next});
    next = std::uint64_t{*last} + 1;
  }
  if (next < max_entries) allocated.push_back({next, max_entries - next});
  return allocated;
}

}  // namespace

Result<ArenaContents> read_arena(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfArenaLayout layout = KTSTR_TRY(layouts.arena);
  StructBytes arena;
  if (!arena.capture(kernel, layout.arena, map.address)) return map_unreadable("struct bpf_arena");
  ArenaContents contents;
  contents.user_vm_start = UserVirt(*layout.arena.user_vm_start.read(arena));
  contents.user_vm_end = UserVirt(*layout.arena.user_vm_end.read(arena));
  contents.kern_vm = *layout.arena.kern_vm.read(arena);
  contents.nr_pages = layout.arena.nr_pages.read(arena);
  if (!kernel.plausible_pointer(contents.kern_vm))
    return corrupted("the kernel's mapping is at no kernel address");
  StructBytes area;
  if (!area.capture(kernel, layout.area, contents.kern_vm)) return map_unreadable("struct vm_struct");
  contents.kern_vm_area = *layout.area.address.read(area);
  if (!kernel.plausible_pointer(contents.kern_vm_area, kPageBytes))
    return corrupted("the kernel's mapping has no address");
  contents.kern_vm_size = *layout.area.size.read(area);
  contents.kern_vm_start = contents.kern_vm_area + kGuardBytes;
  contents.scratch_page = page_at(kernel, layout.arena.scratch_page.read(arena));
  contents.allocated = allocated_pages(kernel, layout, map.address, map.max_entries);
  return contents;
}

}  // namespace ktstr::introspect
