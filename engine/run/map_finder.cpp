#include "engine/run/map_finder.h"

#include <algorithm>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/map_names.h"
#include "introspect/bpf/programs.h"
#include "introspect/dump/running_object.h"

namespace ktstr::engine {
namespace {

using introspect::BpfMapInfo;

/// A list that changes while it is read is read again.
constexpr int kLooks = 3;

/// What of the list was missed, if anything: a map of the name in question may be among it.
std::string gap_in(const introspect::MapWalk& walk) {
  if (walk.end != introspect::WalkEnd::kComplete) return walk.reason;
  if (walk.bad.empty()) return {};
  return "map " + std::to_string(walk.bad.front().id) + ": " + walk.bad.front().reason;
}

}  // namespace

Result<std::vector<BpfMapInfo>> MapFinder::list() const {
  if (!layouts_) return Error(layouts_.error());
  std::string gap;
  for (int look = 0; look < kLooks; ++look) {
    auto walk = KTSTR_TRY(introspect::list_bpf_maps(kernel_, *layouts_));
    gap = gap_in(walk);
    if (gap.empty()) return std::move(walk.items);
  }
  return Error{ErrorCode::kCorrupt, "the guest's list of BPF maps can't be read whole: " + gap};
}

std::optional<introspect::ActiveObject> MapFinder::running_object(const std::vector<BpfMapInfo>& maps) const {
  const auto programs = introspect::list_bpf_programs(kernel_, *layouts_);
  if (!exits_ || !programs) return std::nullopt;
  return introspect::find_running_object(kernel_, *layouts_, *exits_, maps, programs->items);
}

Result<BpfMapInfo> MapFinder::by_name(std::string_view name) const {
  const auto maps = KTSTR_TRY(list());
  auto found = KTSTR_TRY(introspect::find_maps_by_name(maps, name));
  if (found.size() == 1) return std::move(found.front());
  return introspect::choose_map(found, running_object(maps));
}

Result<BpfMapInfo> MapFinder::by_id(std::uint32_t id) const {
  auto maps = KTSTR_TRY(list());
  const auto found = std::ranges::find(maps, id, &BpfMapInfo::id);
  if (found != maps.end()) return std::move(*found);
  return Error{ErrorCode::kNotFound, "there is no BPF map " + std::to_string(id) + " any more"};
}

Status MapFinder::check_alive(const BpfMapInfo& map) const {
  const auto now = introspect::read_map_info(kernel_, *layouts_, map.address);
  if (now && now->id == map.id) return ok();
  return Error{ErrorCode::kUnavailable, "the map was freed in the meantime"};
}

}  // namespace ktstr::engine
