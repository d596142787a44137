// render_map: one BPF map's contents, typed.
#pragma once

#include <functional>
#include <optional>

#include "introspect/arena/arena_snapshot.h"
#include "introspect/bpf/contents.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/dump/map_dump.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// Nodes of all map values that one dump renders: some 500 000 entries of 15 members. What a damaged type
/// makes of many small values is then bounded too.
inline constexpr std::size_t kMaxDumpNodes = std::size_t{1} << 23;

/// One map as it was read.
struct CapturedMap {
  BpfMapInfo info;
  MapTypes types;
  Result<MapContents> contents;
  std::optional<ArenaSnapshot> arena{};  ///< of an ARENA
};

/// What rendering maps takes. Everything must outlive it.
struct MapRenderer {
  const RenderContext& context;
  std::size_t& nodes_left;  ///< for this map and all that follow; when there are none left, bytes are shown
  /// What a rendered value's arena pointer leads to, for `payload`; may be empty.
  std::function<std::optional<RenderedValue>(const RenderedValue&)> payload;
};

/// Shows what was read. Total: what went wrong is the map's `error`.
[[nodiscard]] FailureDumpMap render_map(const MapRenderer& renderer, CapturedMap map);

}  // namespace ktstr::introspect
