#include "introspect/dump/render_map.h"

#include "introspect/bpf/map_types.h"
#include "introspect/bpf/read_map.h"
#include "introspect/dump/map_filler.h"

namespace ktstr::introspect {
namespace {

constexpr std::string_view kNoNodesLeft = "values beyond what one dump renders are shown as bytes";

FailureDumpMap header_of(const BpfMapInfo& map) {
  FailureDumpMap dump;
  dump.name = map.name;
  dump.map_kva = map.address.value();
  dump.map_type = map.type;
  dump.value_size = map.value_size;
  dump.max_entries = map.max_entries;
  dump.id = map.id;
  dump.type_name = map.type_name;
  return dump;
}

void fill_arena(const MapRenderer& renderer, const BpfMapInfo& map, FailureDumpMap& dump) {
  if (!renderer.arena) return add_error(dump, "arena pages are not read here");
  auto arena = renderer.arena(map);
  if (arena)
    dump.arena = std::move(*arena);
  else
    add_error(dump, arena.error().message);
}

}  // namespace

void add_error(FailureDumpMap& dump, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!dump.error)
    dump.error.emplace(sentence);
  else
    dump.error->append("; ").append(sentence);
}

FailureDumpMap render_map(const MapRenderer& renderer, const BpfMapInfo& map) {
  auto dump = header_of(map);
  if (map.type == map_type::kArena) {
    fill_arena(renderer, map, dump);
    return dump;
  }
  const auto contents = read_map_contents(renderer.kernel, renderer.layouts, map, renderer.limits);
  if (!contents) {
    add_error(dump, contents.error().message);
    return dump;
  }
  const auto types = renderer.btfs.types_of(map);
  MapFiller filler(renderer, map, types, dump);
  std::visit([&](const auto& family) { filler.fill(family); }, *contents);
  if (map.btf_kva || types.key != BtfTypeId{} || types.value != BtfTypeId{})
    add_error(dump, types.unavailable);
  if (types.btf && renderer.nodes_left == 0) add_error(dump, kNoNodesLeft);
  return dump;
}

}  // namespace ktstr::introspect
