#include "engine/run/bpf_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/freeze/freeze_coordinator.h"
#include "engine/observe/machine_memory.h"
#include "introspect/arena/guest_context.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/map_names.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/bpf/programs.h"
#include "introspect/dump/running_object.h"
#include "introspect/render/render.h"

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

using introspect::RenderedValue;
using introspect::ScalarValue;

/// Nothing for what no variable can hold.
std::optional<ScalarValue> scalar_of(const Value& value) {
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  if (const auto* number = value.get_if<std::uint64_t>()) return *number;
  if (const auto* number = value.get_if<double>()) return *number;
  if (const auto* text = value.get_if<std::string>()) return *text;
  return std::nullopt;
}

/// Whether a CPU reads or writes the place at once. Values of maps begin at multiples of 8 bytes.
bool is_one_access(const introspect::GlobalPlace& place) {
  return place.size <= sizeof(std::uint64_t) && std::has_single_bit(place.size) &&
         place.offset % place.size == 0;
}

/// A value that is not there is no value.
Status check_shown(const RenderedValue& value) {
  if (const auto* unsupported = value.get_if<introspect::RenderedUnsupported>())
    return Error{ErrorCode::kUnavailable, "its value can't be shown: " + unsupported->reason};
  if (value.get_if<introspect::RenderedTruncated>())
    return Error{ErrorCode::kCorrupt, "its type has more bytes than its place"};
  return ok();
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

BpfMaps::BpfMaps(vmm::Machine& machine, const introspect::Kernel& kernel, Guest& guest,
                 std::vector<MapReading>& readings)
    : machine_(machine),
      kernel_(kernel),
      guest_(guest),
      readings_(readings),
      finder_(kernel),
      memory_(writable_memory(machine)) {}

Result<introspect::BpfMapInfo> BpfMaps::find_map(const std::string& name) const {
  const auto pinned = names_.find(name);
  return pinned != names_.end() ? finder_.by_id(pinned->second) : finder_.by_name(name);
}

Result<BpfMaps::Variable> BpfMaps::find_variable(const std::string& map, const std::string& path) const {
  auto info = KTSTR_TRY(find_map(map));
  introspect::ProgramBtfCache btfs(kernel_, finder_.layouts());
  auto types = btfs.types_of(info);
  if (!types.btf) return Error{ErrorCode::kUnavailable, "its variables are unknown: " + types.unavailable};
  const auto place = KTSTR_TRY(introspect::find_global(info, *types.btf, path));
  return Variable{std::move(info), std::move(types.btf), place};
}

Status BpfMaps::while_stopped(const std::function<Status()>& act) const {
  auto frozen = KTSTR_TRY(FrozenMachine::freeze(machine_, FreezeOptions{}.stop_deadline));
  auto status = frozen.state().all_stopped()
                    ? act()
                    : Status(Error{ErrorCode::kTimeout, "not every vCPU could be stopped"});
  auto thawed = frozen.thaw();
  return thawed ? std::move(status) : std::move(thawed);
}

Status BpfMaps::access(const Variable& variable, bool stopped, const std::function<Status()>& access) const {
  const auto guarded = [&]() -> Status {
    KTSTR_TRY(finder_.check_alive(variable.map));
    KTSTR_TRY(access());
    return finder_.check_alive(variable.map);
  };
  return stopped ? while_stopped(guarded) : guarded();
}

Status BpfMaps::apply(std::size_t, const WriteBpfMapOp& op) {
  const auto value = scalar_of(op.value);
  if (!value)
    return Error{ErrorCode::kInvalidArgument, "no variable can hold " + std::string(op.value.kind_name())};
  const auto variable = KTSTR_TRY(find_variable(op.map, op.variable));
  const bool stopped = variable.place.bit_width != 0 || !is_one_access(variable.place);
  return access(variable, stopped, [&] {
    return introspect::write_global(kernel_, finder_.layouts(), memory_, variable.map, *variable.btf,
                                    op.variable, *value);
  });
}

Result<RenderedValue> BpfMaps::read(const Variable& variable) const {
  const auto& [map, btf, place] = variable;
  const auto bytes = KTSTR_TRY(introspect::read_global(kernel_, finder_.layouts(), map, place));
  const introspect::GuestContext context({.kernel = &kernel_});
  auto value = place.bit_width != 0
                   ? introspect::render_bits(*btf, place.type, bytes, place.bit_shift, place.bit_width)
                   : introspect::render_value(*btf, place.type, bytes, context);
  KTSTR_TRY(check_shown(value));
  return value;
}

Status BpfMaps::apply(std::size_t step, const ReadBpfMapOp& op) {
  const auto variable = KTSTR_TRY(find_variable(op.map, op.variable));
  MapReading reading{.step = static_cast<std::uint32_t>(step),
                     .map = op.map,
                     .map_id = variable.map.id,
                     .variable = op.variable,
                     .name = op.name};
  KTSTR_TRY(access(variable, !is_one_access(variable.place), [&]() -> Status {
    reading.elapsed_ns = guest_.now_ns();
    reading.value = KTSTR_TRY(read(variable));
    return ok();
  }));
  readings_.push_back(std::move(reading));
  return ok();
}

Status BpfMaps::apply(std::size_t, const PinBpfMapOp& op) {
  const auto map = KTSTR_TRY(find_map(op.map));
  const auto named = op.name ? names_.find(*op.name) : names_.end();
  if (named != names_.end() && named->second != map.id)
    return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\" stands for map {} already, not for map {}",
                                                          *op.name, named->second, map.id)};
  if (!pinned_.contains(map.id)) KTSTR_TRY(guest_.ask(protocol::PinBpfMap{map.id}));
  pinned_.insert(map.id);
  if (op.name) names_.emplace(*op.name, map.id);
  return ok();
}

}  // namespace ktstr::engine
