#include "introspect/dump/running_object.h"

#include <algorithm>

namespace ktstr::introspect {

std::optional<ActiveObject> find_running_object(const Kernel& kernel, const BpfLayouts& layouts,
                                                const ScxExitReader& exits,
                                                const std::vector<BpfMapInfo>& maps,
                                                const std::vector<BpfProgInfo>& programs) {
  const auto root = exits.root_map(kernel);
  if (!root) return std::nullopt;
  const auto operations = std::ranges::find(maps, *root, &BpfMapInfo::address);
  if (operations == maps.end()) return std::nullopt;
  return find_object_of(kernel, layouts, *operations, programs);
}

}  // namespace ktstr::introspect
