// Maps by the names that people give them: the kernel keeps 15 bytes of a name.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "introspect/bpf/active_object.h"
#include "introspect/bpf/map_list.h"

namespace ktstr::introspect {

/// Those of `maps` that the kernel calls `name`; where there are none, those whose name is what is left of it
/// when libbpf has cut a global section's ("scx_layered.bss": "scx_laye.bss") and the kernel any name at 15
/// bytes. In the order of `maps`. kNotFound: none; the message has the nearest name, or the global sections.
[[nodiscard]] Result<std::vector<BpfMapInfo>> find_maps_by_name(const std::vector<BpfMapInfo>& maps,
                                                                std::string_view name);

/// Of several maps of one name the one that `object` uses. kInvalidArgument: it uses none or several of them;
/// the message has their ids. Precondition: `maps` is not empty.
[[nodiscard]] Result<BpfMapInfo> choose_map(const std::vector<BpfMapInfo>& maps,
                                            const std::optional<ActiveObject>& object);

}  // namespace ktstr::introspect
