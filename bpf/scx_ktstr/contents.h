// What the maps of scx_ktstr hold (bpf/fixture_contents.h).
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>

#include "engine/base/result.h"

namespace ktstr::bpf {

/// Fills every map of the loaded object that user space can fill, and runs the program that fills the rest.
/// Errors (kIo) name the map.
[[nodiscard]] Status fill_maps(bpf_object* object);

/// Puts `entries` rows into large_hash, if that is not 0. Errors (kIo).
[[nodiscard]] Status fill_large_hash(bpf_object* object, std::uint32_t entries);

}  // namespace ktstr::bpf
