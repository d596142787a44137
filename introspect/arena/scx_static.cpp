#include "introspect/arena/scx_static.h"

#include <algorithm>

#include "introspect/arena/arena_window.h"
#include "introspect/arena/section_variables.h"

namespace ktstr::introspect {

ScxStaticSnapshot read_scx_static(const Btf& btf, BtfTypeId section, std::span<const std::byte> bytes) {
  ScxStaticSnapshot snapshot;
  for (const SectionVariable& variable : variables_of(btf, section, bytes, "scx_static")) {
    const auto memory = u64_member(btf, variable, "memory");
    const auto capacity = u64_member(btf, variable, "max_alloc_bytes");
    const auto used = u64_member(btf, variable, "off");
    if (memory && capacity && used && *memory != 0 && *capacity != 0 && *capacity < kMaxArenaBytes &&
        *used <= *capacity)
      snapshot.ranges.push_back({variable.name, static_cast<std::uint32_t>(*memory), *used, *capacity});
    else
      ++snapshot.skipped;
  }
  return snapshot;
}

bool is_scx_static_address(const ScxStaticSnapshot& snapshot, std::uint64_t address) {
  return std::ranges::any_of(snapshot.ranges, [address](const ScxStaticRange& range) {
    return static_cast<std::uint32_t>(address) - std::uint64_t{range.start_low32} < range.size &&
           static_cast<std::uint32_t>(address) >= range.start_low32;
  });
}

}  // namespace ktstr::introspect
