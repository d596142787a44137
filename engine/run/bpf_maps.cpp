#include "engine/run/bpf_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "engine/freeze/freeze_coordinator.h"
#include "engine/freeze/frozen_machine.h"
#include "engine/observe/machine_memory.h"
#include "introspect/arena/guest_context.h"
#include "introspect/bpf/program_btf.h"
#include "introspect/render/render.h"

namespace ktstr::engine {
namespace {

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
    reading.elapsed_ns = static_cast<std::uint64_t>(guest_.now().ns);
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
