// What the maps of scx_ktstr hold (bpf/fixture_contents.h).
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>

#include "engine/base/result.h"

namespace ktstr::bpf {

/// Fills every map of the loaded object that user space can fill, large_hash with so many rows, and runs the
/// program that fills the rest. Errors (kIo) name the map.
[[nodiscard]] Status fill_maps(bpf_object* object, std::uint32_t large_hash_rows);

}  // namespace ktstr::bpf
