#include "introspect/dump/captured_maps.h"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "introspect/bpf/map_list.h"

namespace ktstr::introspect {
namespace {

using Bytes = std::span<const std::byte>;

bool is_bss(const BpfMapInfo& map) {
  return map.type == map_type::kArray && map.btf_kva && map.name.ends_with(".bss");
}

/// The first map of the active object that fits, else the first that fits; nullptr: none does.
template <class Fits>
const BpfMapInfo* find_map(const std::vector<BpfMapInfo>& maps, const std::vector<std::uint64_t>& active,
                           Fits fits) {
  const BpfMapInfo* first = nullptr;
  for (const auto& map : maps) {
    if (!fits(map)) continue;
    if (std::ranges::find(active, map.address.value()) != active.end()) return &map;
    if (!first) first = &map;
  }
  return first;
}

// What is shown by its type, a function for each family that has such: calls visit(key or value type, bytes).

template <class Visit>
void for_each_typed(const ValueContents& contents, const MapTypes& types, Visit visit) {
  for (std::size_t i = 0; i < contents.entries.size(); ++i) {
    if (contents.entries.key_size() != 0) visit(types.key, contents.entries.key(i));
    for (std::size_t slot = 0; slot < contents.entries.slots(); ++slot)
      if (const auto value = contents.entries.value(i, slot)) visit(types.value, *value);
  }
}

template <class Visit>
void for_each_typed(const LocalStorageContents& contents, const MapTypes& types, Visit visit) {
  for (std::size_t i = 0; i < contents.entries.size(); ++i)
    if (const auto value = contents.entries.value(i)) visit(types.value, *value);
}

template <class Visit>
void for_each_typed(const StructOpsContents& contents, const MapTypes& types, Visit visit) {
  visit(types.value, Bytes(contents.kernel_value));
  visit(types.value, Bytes(contents.user_value));
}

ProgramSection read_bss(MapSource& source, const BpfMapInfo& map, std::vector<std::byte>& bytes) {
  const auto types = source.btfs.types_of(map);
  const auto contents = read_array({source.kernel, source.layouts, map, source.limits});
  if (contents && !contents->entries.empty())
    if (const auto value = contents->entries.value(0)) bytes.assign(value->begin(), value->end());
  return {types.btf, types.value, bytes};
}

/// A map that is read with what is left of the budget has at least this much of it.
constexpr std::uint64_t kLeastMapBytes = 4096;
constexpr std::string_view kNoRoom = "left out: the maps before it took all the room that a dump has";
constexpr std::string_view kNoMemory = "left out: out of memory";

Result<MapContents> read_contents(MapSource& source, const BpfMapInfo& map) {
  const std::uint64_t left = source.budget.bytes_left();
  if (left < kLeastMapBytes) {
    static_cast<void>(source.budget.take(kLeastMapBytes));
    return Error{ErrorCode::kUnavailable, std::string(kNoRoom)};
  }
  MapReadLimits limits = source.limits;
  limits.bytes = std::min(limits.bytes, left);
  auto contents = read_map_contents(source.kernel, source.layouts, map, limits);
  if (contents) static_cast<void>(source.budget.take(std::min(left, memory_bytes(*contents))));
  return contents;
}

std::optional<ArenaSnapshot> read_pages(MapSource& source, const BpfMapInfo& map,
                                        const MapContents& contents) {
  constexpr std::uint64_t kBytesPerPage = kArenaPageBytes + sizeof(ArenaPage);
  const auto* arena = std::get_if<ArenaContents>(&contents);
  if (!arena) return std::nullopt;
  const std::uint64_t room = source.budget.bytes_left() / kBytesPerPage;
  auto snapshot =
      snapshot_arena(ArenaReader(source.kernel.translator(), window_of(*arena, map.max_entries)),
                     map.max_entries, static_cast<std::size_t>(std::min<std::uint64_t>(kMaxArenaPages, room)),
                     arena->allocated ? &*arena->allocated : nullptr);
  static_cast<void>(source.budget.take(snapshot.pages.size() * kBytesPerPage));
  return snapshot;
}

CapturedMap read_map(MapSource& source, const BpfMapInfo& map) {
  try {
    CapturedMap captured{map, source.btfs.types_of(map), read_contents(source, map), std::nullopt};
    if (captured.contents) captured.arena = read_pages(source, map, *captured.contents);
    return captured;
  } catch (const std::bad_alloc&) {
    return {map, {}, Error{ErrorCode::kUnavailable, std::string(kNoMemory)}, std::nullopt};
  }
}

}  // namespace

void CapturedMaps::capture(MapSource& source, const std::vector<BpfMapInfo>& maps,
                           FailureDumpReport& report) {
  auto& budget = source.budget;
  if (budget.expired())
    report.sdt_alloc_unavailable = kSdtAllocDeadlineExceeded;
  else
    capture_arena(source, maps, report);
  for (const auto& map : maps) {
    if (budget.expired())
      ++report.maps_truncated;
    else
      follow(source, maps_.emplace_back(read_map(source, map)));
  }
  if (pointers_.is_cut()) report.problems.emplace_back("pointers: more lies behind them than is copied");
  pointers_.seal();
}

void CapturedMaps::capture_arena(MapSource& source, const std::vector<BpfMapInfo>& maps,
                                 FailureDumpReport& report) {
  std::optional<ArenaWindow> window;
  const auto is_arena = [](const BpfMapInfo& map) { return map.type == map_type::kArena; };
  if (const auto* map = find_map(maps, report.active_map_kvas, is_arena)) {
    if (const auto arena = read_arena({source.kernel, source.layouts, *map}))
      window = window_of(*arena, map->max_entries);
    else
      report.problems.push_back("arena " + map->name + ": " + arena.error().message);
  }
  std::vector<std::byte> bytes;
  const auto* bss = find_map(maps, report.active_map_kvas, is_bss);
  pointers_.find_allocations(window, bss ? read_bss(source, *bss, bytes) : ProgramSection{});
  report.scx_static_ranges = pointers_.scx_static();
  report.sdt_alloc_unavailable = pointers_.allocations().unavailable;
}

void CapturedMaps::follow(MapSource& source, const CapturedMap& map) {
  if (!map.types.btf || !map.contents) return;
  const Btf& btf = *map.types.btf;
  if (!pointers_.leads_out(btf, map.types.key) && !pointers_.leads_out(btf, map.types.value)) return;
  const auto visit = [&](BtfTypeId type, Bytes bytes) {
    if (!source.budget.expired()) pointers_.follow(btf, type, bytes);
  };
  std::visit(
      [&](const auto& family) {
        if constexpr (requires { for_each_typed(family, map.types, visit); })
          for_each_typed(family, map.types, visit);
      },
      *map.contents);
}

void CapturedMaps::render(FailureDumpReport& report) {
  report.sdt_allocations = pointers_.render_allocations();
  std::size_t nodes_left = kMaxDumpNodes;
  const MapRenderer renderer{pointers_.context(), nodes_left, [&](const RenderedValue& value) {
                               return pointers_.payload(value, nodes_left);
                             }};
  for (auto& map : maps_) {
    const auto info = map.info;
    try {
      report.maps.push_back(render_map(renderer, std::exchange(map, {})));
    } catch (const std::bad_alloc&) {
      report.maps.push_back(render_map(
          renderer, {info, {}, Error{ErrorCode::kUnavailable, std::string(kNoMemory)}, std::nullopt}));
    }
  }
  maps_.clear();
}

}  // namespace ktstr::introspect
