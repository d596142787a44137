#include "introspect/dump/render_map.h"

#include "introspect/dump/map_filler.h"

namespace ktstr::introspect {
namespace {

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
  if (map.info.btf_kva) add_error(dump, map.types.unavailable);
  return dump;
}

}  // namespace ktstr::introspect
