// What a dump costs a running guest, against what the guest itself can do.
#pragma once

#include <cstdint>

#include "engine/base/result.h"

namespace ktstr::bench {

/// Of the hashes that are read, with keys of 8 bytes and values of 64.
inline constexpr std::uint32_t kHashEntries = 65'536;

/// Boots a guest with scx_ktstr, a full hash of kHashEntries and 200 idle tasks; reads the hash from
/// outside and with bpftool inside, and takes complete dumps. Prints a line for each figure, and whether it
/// is what it should be. Errors: what kept the guest from being there.
[[nodiscard]] Status measure_live();

}  // namespace ktstr::bench
