// Where the two counters lie in jemalloc's thread data (struct tsd_s of its tsd.h).
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>

namespace ktstr::introspect::ctprof {

/// Offsets in bytes from the beginning of the struct.
struct TsdLayout {
  std::uint64_t allocated = 0;
  std::uint64_t deallocated = 0;

  friend bool operator==(const TsdLayout&, const TsdLayout&) = default;
};

/// From the description of a struct tsd_s of `size` bytes, whose members end in _thread_allocated and
/// _thread_deallocated (their names have a prefix since 5.0) and have 8 bytes each. Nothing without one.
[[nodiscard]] std::optional<TsdLayout> find_tsd_layout(Dwarf* dwarf, std::uint64_t size);

}  // namespace ktstr::introspect::ctprof
