// A map's contents out of guest memory, in the form of bpftool's dump.
#pragma once

#include <optional>
#include <vector>

#include "introspect/bpf/contents.h"
#include "introspect/bpf/map_list.h"
#include "tests/truth/bpftool_output.h"

namespace ktstr::truth {

/// Sorted by key. nullopt for families that bpftool can't dump (ring buffers, bloom filters, arenas, local
/// storage by owner). A STRUCT_OPS map's reference count, its first 4 bytes, is 0: bpftool's own is in it.
[[nodiscard]] std::optional<std::vector<DumpedEntry>> as_dumped(const introspect::BpfMapInfo& map,
                                                                const introspect::MapContents& contents);

/// Whether everything of the map was read.
[[nodiscard]] bool is_whole(const introspect::MapContents& contents);

}  // namespace ktstr::truth
