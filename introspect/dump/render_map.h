// render_map: one BPF map's contents, typed.
#pragma once

#include <functional>
#include <optional>

#include "introspect/arena/arena_snapshot.h"
#include "introspect/bpf/contents.h"
#include "introspect/bpf/map_info.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/dump/map_dump.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

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
  /// What a rendered value's arena pointer leads to, for `payload`; may be empty.
  std::function<std::optional<RenderedValue>(const RenderedValue&)> payload;
};

/// Shows what was read. Total: what went wrong is the map's `error`.
[[nodiscard]] FailureDumpMap render_map(const MapRenderer& renderer, CapturedMap map);

}  // namespace ktstr::introspect
