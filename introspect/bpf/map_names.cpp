#include "introspect/bpf/map_names.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "engine/base/nearest.h"
#include "introspect/bpf/layouts.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kLongestName = kBpfNameBytes - 1;
/// What libbpf leaves a section's name at least (internal_map_name(), tools/lib/bpf/libbpf.c): the object's
/// name gets the rest.
constexpr std::size_t kSectionRoom = 7;

/// "scx_laye.bss" of "scx_layered.bss"; any other name cut where the kernel cuts it.
std::string shortened(std::string_view name) {
  const auto prefix = global_section_prefix(name);
  if (!prefix) return std::string(name.substr(0, kLongestName));
  const std::string_view section = name.substr(prefix->size());
  const std::size_t room = kLongestName - std::max(kSectionRoom, section.size());
  return std::string(prefix->substr(0, room)).append(section);
}

std::vector<BpfMapInfo> called(const std::vector<BpfMapInfo>& maps, std::string_view name) {
  std::vector<BpfMapInfo> found;
  std::ranges::copy_if(maps, std::back_inserter(found),
                       [&](const BpfMapInfo& map) { return map.name == name; });
  return found;
}

/// The nearest of all names; without one the global sections, whose names have a dot.
std::string advice(const std::vector<BpfMapInfo>& maps, std::string_view name) {
  std::set<std::string_view> all;
  for (const BpfMapInfo& map : maps)
    if (!map.name.empty()) all.insert(map.name);
  std::vector<std::string_view> known(all.begin(), all.end());
  if (!nearest_name(name, known))
    std::erase_if(known, [](std::string_view each) { return each.find('.') == std::string_view::npos; });
  return did_you_mean(name, known);
}

}  // namespace

Result<std::vector<BpfMapInfo>> find_maps_by_name(const std::vector<BpfMapInfo>& maps,
                                                  std::string_view name) {
  auto found = called(maps, name);
  if (found.empty()) found = called(maps, shortened(name));
  if (!found.empty() && !name.empty()) return found;
  return Error{ErrorCode::kNotFound, "there is no BPF map called " + std::string(name) + advice(maps, name)};
}

Result<BpfMapInfo> choose_map(const std::vector<BpfMapInfo>& maps,
                              const std::optional<ActiveObject>& object) {
  std::vector<BpfMapInfo> used;
  std::string ids;
  for (const BpfMapInfo& map : maps) {
    ids.append(ids.empty() ? "" : ", ").append(std::to_string(map.id));
    if (object && std::ranges::binary_search(object->used_maps, map.address)) used.push_back(map);
  }
  if (used.size() == 1) return used.front();
  return invalid_argument(maps.front().name + " is ambiguous: the maps " + ids +
                          " are called so, and the running scheduler does not tell which");
}

}  // namespace ktstr::introspect
