// render_map: one BPF map's contents, typed.
#pragma once

#include <functional>

#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_info.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/bpf/read_limits.h"
#include "introspect/dump/map_dump.h"
#include "introspect/kernel.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// Nodes of all map values that one dump renders: some 500 000 entries of 15 members. What a damaged type
/// makes of many small values is then bounded too.
inline constexpr std::size_t kMaxDumpNodes = std::size_t{1} << 23;

/// What rendering maps takes. Everything must outlive it.
struct MapRenderer {
  const Kernel& kernel;
  const BpfLayouts& layouts;
  ProgramBtfCache& btfs;
  const RenderContext& context;
  MapReadLimits limits;
  std::size_t& nodes_left;  ///< for this map and all that follow; when there are none left, bytes are shown
  /// What a rendered value's arena pointer leads to, for `payload`; may be empty.
  std::function<std::optional<RenderedValue>(const RenderedValue&)> payload;
  /// An arena's pages; may be empty.
  std::function<Result<ArenaSnapshot>(const BpfMapInfo&)> arena;
};

/// Reads and renders `map`. Total: what goes wrong is the map's `error`.
[[nodiscard]] FailureDumpMap render_map(const MapRenderer& renderer, const BpfMapInfo& map);

}  // namespace ktstr::introspect
