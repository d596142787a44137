// The shape of a struct bpf_array, checked against its map's header before anything is believed of it.
#pragma once

#include "introspect/bpf/read_context.h"

namespace ktstr::introspect {

/// Where the elements begin. `element_bytes`: what one element takes, padding included. Errors: kOutOfRange,
/// unreadable; kCorrupt, element size or index mask (which the kernel derives from max_entries) say
/// otherwise.
[[nodiscard]] inline Result<KernelVirt> array_elements(const Kernel& kernel, const BpfLayouts& layouts,
                                                       const BpfMapInfo& map, std::uint64_t element_bytes) {
  const BpfArrayLayout layout = KTSTR_TRY(layouts.array);
  const auto element = layout.elem_size.read(kernel, map.address);
  const auto mask = layout.index_mask.read(kernel, map.address);
  if (!element || !mask) return map_unreadable("struct bpf_array");
  if (*element != element_bytes)
    return map_corrupt("elements of " + std::to_string(*element) + " bytes for values of " +
                       std::to_string(map.value_size));
  if (std::uint64_t{*mask} + 1 != std::bit_ceil(std::uint64_t{map.max_entries}))
    return map_corrupt("an index mask of " + std::to_string(*mask) + " for " +
                       std::to_string(map.max_entries) + " entries");
  return layout.value.address(map.address);
}

}  // namespace ktstr::introspect
