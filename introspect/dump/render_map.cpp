#include "introspect/dump/render_map.h"

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

}  // namespace

void add_error(FailureDumpMap& dump, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!dump.error)
    dump.error.emplace(sentence);
  else
    dump.error->append("; ").append(sentence);
}

FailureDumpMap render_map(const MapRenderer& renderer, CapturedMap map) {
  auto dump = header_of(map.info);
  if (!map.contents) {
    add_error(dump, map.contents.error().message);
    return dump;
  }
  MapFiller filler(renderer, map.info, map.types, dump);
  std::visit([&](const auto& family) { filler.fill(family); }, *map.contents);
  dump.arena = std::move(map.arena);
  const bool declared = map.types.key != BtfTypeId{} || map.types.value != BtfTypeId{};
  if (map.info.btf_kva || declared) add_error(dump, map.types.unavailable);
  if (map.types.btf && renderer.nodes_left == 0) add_error(dump, kNoNodesLeft);
  return dump;
}

}  // namespace ktstr::introspect
