#include "introspect/arena/scx_static.h"

#include <algorithm>

#include "introspect/arena/program_types.h"

namespace ktstr::introspect {

namespace {

std::optional<ArenaPlace> region_place(std::uint64_t memory, const ArenaWindow* arena) {
  if (arena) return arena->place_of(memory);
  return memory != 0 ? std::optional(static_cast<ArenaPlace>(memory)) : std::nullopt;
}

}  // namespace

ScxStaticSnapshot read_scx_static(const Btf& btf, BtfTypeId section, std::span<const std::byte> bytes,
                                  const ArenaWindow* arena) {
  ScxStaticSnapshot snapshot;
  for (const SectionVariable& variable : variables_of(btf, section, bytes, "scx_static")) {
    const auto memory = u64_member(btf, variable, "memory");
    const auto capacity = u64_member(btf, variable, "max_alloc_bytes");
    const auto used = u64_member(btf, variable, "off");
    const auto place = memory ? region_place(*memory, arena) : std::nullopt;
    if (place && capacity && used && *capacity != 0 && *capacity < kMaxArenaBytes && *used <= *capacity)
      snapshot.ranges.push_back({variable.name, *place, *used, *capacity});
    else
      ++snapshot.skipped;
  }
  return snapshot;
}

bool is_scx_static_place(const ScxStaticSnapshot& snapshot, ArenaPlace place) {
  return std::ranges::any_of(snapshot.ranges, [place](const ScxStaticRange& range) {
    return place >= range.start_low32 && place - range.start_low32 < range.size;
  });
}

}  // namespace ktstr::introspect
