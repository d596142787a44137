#include "introspect/dump/rendering.h"

#include <algorithm>

#include "introspect/bpf/map_types.h"
#include "introspect/bpf/read_map.h"
#include "introspect/render/render.h"

namespace ktstr::introspect {
namespace {

bool is_bss(const BpfMapInfo& map) {
  return map.type == map_type::kArray && map.btf_kva && map.name.ends_with(".bss");
}

}  // namespace

MapRendering::Pointers::Pointers(const DumpContext& dump, GuestContextParts parts)
    : guest(std::move(parts)),
      resolution(dump.pointer_resolution ? dump.pointer_resolution(guest) : nullptr) {}

MapRendering::MapRendering(const DumpContext& context, const BpfLayouts& layouts,
                           const std::vector<BpfMapInfo>& maps, FailureDumpReport& report)
    : context_(context),
      layouts_(layouts),
      maps_(maps),
      report_(report),
      btfs_(context.kernel, layouts),
      pointers_(std::make_unique<Pointers>(context, GuestContextParts{.kernel = &context.kernel})) {}

bool MapRendering::is_active(const BpfMapInfo& map) const {
  const auto& active = report_.active_map_kvas;
  return std::find(active.begin(), active.end(), map.address.value()) != active.end();
}

template <class Fits>
const BpfMapInfo* MapRendering::find_map(Fits fits) const {
  const BpfMapInfo* first = nullptr;
  for (const auto& map : maps_) {
    if (!fits(map)) continue;
    if (is_active(map)) return &map;
    if (!first) first = &map;
  }
  return first;
}

Result<ArenaReader> MapRendering::reader_of(const BpfMapInfo& arena) const {
  const auto& layout = context_.readers.arena;
  if (!layout) return Error(layout.error());
  return ArenaReader(context_.kernel.translator(),
                     KTSTR_TRY(locate_arena(context_.kernel, *layout, arena.address)));
}

Result<ArenaSnapshot> MapRendering::snapshot(const BpfMapInfo& arena) const {
  return snapshot_arena(KTSTR_TRY(reader_of(arena)), arena.max_entries);
}

void MapRendering::read_arena(DumpClock& clock) {
  if (clock.expired()) {
    report_.sdt_alloc_unavailable = kSdtAllocDeadlineExceeded;
    return;
  }
  if (const auto* map = find_map([](const auto& each) { return each.type == map_type::kArena; })) {
    if (auto reader = reader_of(*map))
      arena_ = *reader;
    else
      report_.problems.push_back("arena " + map->name + ": " + reader.error().message);
  }
  read_allocators(arena_ ? &*arena_ : nullptr);
  pointers_ =
      std::make_unique<Pointers>(context_, GuestContextParts{.kernel = &context_.kernel,
                                                             .arena = arena_ ? &*arena_ : nullptr,
                                                             .slots = &allocations_.slots,
                                                             .rendered = &allocations_.rendered,
                                                             .scx_static = &report_.scx_static_ranges});
}

ProgramSection MapRendering::read_bss(std::vector<std::byte>& bytes) {
  const auto* map = find_map(is_bss);
  if (!map) return {};
  const auto types = btfs_.types_of(*map);
  const auto contents = read_array(context_.kernel, layouts_, *map, context_.limits);
  if (contents && !contents->entries.empty())
    if (const auto value = contents->entries.value(0)) bytes.assign(value->begin(), value->end());
  return {types.btf, types.value, bytes};
}

void MapRendering::read_allocators(const ArenaReader* arena) {
  std::vector<std::byte> bytes;
  const auto bss = read_bss(bytes);
  if (bss.btf) report_.scx_static_ranges = read_scx_static(*bss.btf, bss.type, bss.bytes);
  const Pointers pointers(context_, {.kernel = &context_.kernel, .arena = arena});
  allocations_ = read_sdt_allocations(arena, bss, pointers.context());
  report_.sdt_allocations = std::move(allocations_.snapshots);
  report_.sdt_alloc_unavailable = std::move(allocations_.unavailable);
}

std::optional<RenderedValue> MapRendering::payload(const RenderedValue& value) const {
  const auto* record = value.get_if<RenderedStruct>();
  if (!record) return std::nullopt;
  for (const auto& member : record->members) {
    const auto* pointer = member.value.get_if<RenderedPtr>();
    const auto object = pointer ? allocations_.slots.find(pointer->value) : std::nullopt;
    const auto size = object ? object->type.btf->size_of(object->type.type) : std::nullopt;
    if (!size || *size > kMaxSdtPayloadBytes || nodes_left_ == 0) continue;
    std::vector<std::byte> bytes(*size);
    if (arena_->read(pointer->value + object->header_bytes, bytes))
      return render_value(*object->type.btf, object->type.type, bytes, pointers_->context(), nodes_left_);
  }
  return std::nullopt;
}

FailureDumpMap MapRendering::render(const BpfMapInfo& map) const {
  return render_map({.kernel = context_.kernel,
                     .layouts = layouts_,
                     .btfs = btfs_,
                     .context = pointers_->context(),
                     .limits = context_.limits,
                     .nodes_left = nodes_left_,
                     .payload = [this](const RenderedValue& value) { return payload(value); },
                     .arena = [this](const BpfMapInfo& arena) { return snapshot(arena); }},
                    map);
}

}  // namespace ktstr::introspect
