// scx_static: the bump allocator of scx's lib/sdt_alloc.bpf.c, whose allocations carry no headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/arena/arena_window.h"
#include "introspect/btf.h"

namespace ktstr::introspect {

/// What one allocator has handed out of its current region.
struct ScxStaticRange {
  std::string instance_name;
  std::uint32_t start_low32 = 0;
  std::uint64_t size = 0;
  std::uint64_t capacity = 0;

  static consteval auto describe() {
    using T = ScxStaticRange;
    return record("memory that a bump allocator has handed out",
                  field<&T::instance_name>("the allocator's variable in .bss"),
                  field<&T::start_low32>("low 32 bits of the region's arena address"),
                  field<&T::size>("bytes handed out"), field<&T::capacity>("bytes of the region"));
  }
};

struct ScxStaticSnapshot {
  std::vector<ScxStaticRange> ranges;
  std::uint32_t skipped = 0;

  static consteval auto describe() {
    using T = ScxStaticSnapshot;
    return record("the bump allocators of a scheduler", field<&T::ranges>("one for each allocator in use"),
                  field<&T::skipped>("allocators never initialised or contradicting themselves"));
  }
};

/// The allocators among the variables of `section` (a program's .bss, with its bytes). Those never
/// initialised and those whose numbers contradict themselves (offset beyond the region, a region of 4 GB and
/// more, a region outside the arena) are counted as skipped. Empty when the program has no struct scx_static.
/// `arena`: nullptr when there is none, and regions are taken as they are told.
[[nodiscard]] ScxStaticSnapshot read_scx_static(const Btf& btf, BtfTypeId section,
                                                std::span<const std::byte> bytes, const ArenaWindow* arena);

/// Whether the place lies in memory that was handed out: no type can be told for it then.
[[nodiscard]] bool is_scx_static_place(const ScxStaticSnapshot& snapshot, ArenaPlace place);

}  // namespace ktstr::introspect
