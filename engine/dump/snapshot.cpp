#include "engine/dump/snapshot.h"

#include <algorithm>

namespace ktstr::engine {

std::map<std::string, const introspect::FailureDumpMap*> maps_by_name(
    const introspect::FailureDumpReport& report) {
  const auto is_active = [&](const introspect::FailureDumpMap& map) {
    const auto& active = report.active_map_kvas;
    return std::find(active.begin(), active.end(), map.map_kva) != active.end();
  };
  std::map<std::string, const introspect::FailureDumpMap*> maps;
  for (const auto& map : report.maps) {
    auto& chosen = maps[map.name];
    if (!chosen || is_active(map) || !is_active(*chosen)) chosen = &map;
  }
  return maps;
}

}  // namespace ktstr::engine
