// All BPF maps of a guest, through map_idr (kernel/bpf/syscall.c).
#pragma once

#include "engine/base/result.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_info.h"
#include "introspect/bpf/object_walk.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

using MapWalk = BpfObjectWalk<BpfMapInfo>;

/// No guest has more maps, or programs, than this; the walk is then kTruncated.
inline constexpr std::size_t kMaxBpfObjects = 1U << 16;

/// Every map, ascending by id. An entry that is no map (no kernel pointer, unreadable, another id than its
/// index, a type that the kernel's enum does not have or whose operations are not the map's) is in `bad`.
/// Error: no symbol map_idr.
[[nodiscard]] Result<MapWalk> list_bpf_maps(const Kernel& kernel, const BpfLayouts& layouts);

/// The header of the map at `address`. Error: unreadable, or no map.
[[nodiscard]] Result<BpfMapInfo> read_map_info(const Kernel& kernel, const BpfLayouts& layouts,
                                               KernelVirt address);

}  // namespace ktstr::introspect
