// Which functions serve which type of map: what tells a map's type a second time.
#pragma once

#include <cstdint>
#include <string_view>

namespace ktstr::introspect {

/// The kernel variable that `bpf_map.ops` of every map of this type points to (include/linux/bpf_types.h); ""
/// for a type that is not known here.
[[nodiscard]] std::string_view map_operations(std::uint32_t type);

}  // namespace ktstr::introspect
