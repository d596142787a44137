// Which pages of an arena are in use by the kernel's own account (kernel/bpf/range_tree.c).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

/// More holes than this, and asking the page tables for everything is as fast.
inline constexpr std::size_t kMaxArenaHoles = 512;

/// The pages of the arena map at `map` that are allocated, ascending, of `max_entries`. nullopt: this kernel
/// keeps no tree of free ranges, it has more than kMaxArenaHoles, or it can't be read or believed.
[[nodiscard]] std::optional<std::vector<ArenaPageRange>> allocated_arena_pages(const Kernel& kernel,
                                                                               const BpfArenaLayout& layout,
                                                                               KernelVirt map,
                                                                               std::uint32_t max_entries);

}  // namespace ktstr::introspect
