// SdtGuest: a scheduler with an sdt_alloc allocator and a bump allocator, and what its .bss holds.
#pragma once

#include <utility>

#include "introspect/arena/sdt_alloc.h"
#include "introspect/arena/sdt_walk.h"
#include "tests/introspect/arena/fake_arena.h"
#include "tests/introspect/render/made_btf.h"

namespace ktstr::introspect::test {

/// struct task_ctx { u64 weight; struct sdt_data __arena *peer; } in slots of 24 bytes; the tree's root,
/// middle and leaf nodes are at fixed places of the arena.
class SdtGuest {
 public:
  static constexpr std::uint64_t kRoot = 0x1000, kMiddle = 0x1100, kLeaf = 0x1200;
  static constexpr std::uint64_t kRootChunk = 0x2000, kMiddleChunk = 0x3000, kLeafChunk = 0x4000;
  static constexpr std::uint64_t kSlots = 0x10000;
  static constexpr std::uint64_t kElemSize = 24;

  /// `declared_only`: the program's type information leaves struct sdt_desc undefined.
  explicit SdtGuest(bool declared_only = false) {
    const int u64 = types.u64();
    const int data = types.pointer(btf__add_fwd(types.raw(), "sdt_data", BTF_FWD_STRUCT));
    task_ctx = types.structure("task_ctx", 16, {{"weight", u64, 0}, {"peer", data, 64}});
    const int pool = types.structure("sdt_pool", 32, {{"slab", data, 0}, {"elem_size", u64, 64}});
    const int desc =
        declared_only
            ? btf__add_fwd(types.raw(), "sdt_desc", BTF_FWD_STRUCT)
            : types.structure(
                  "sdt_desc", 80,
                  {{"allocated", types.array(u64, 8), 0}, {"nr_free", u64, 512}, {"chunk", data, 576}});
    const int root = types.pointer(desc);
    const int allocator = types.structure("scx_allocator", 40, {{"pool", pool, 0}, {"root", root, 256}});
    const int bump = types.structure("scx_static", 24,
                                     {{"max_alloc_bytes", u64, 0}, {"memory", data, 64}, {"off", u64, 128}});
    const int task_variable = types.variable(types.raw(), "scx_task_allocator", allocator);
    const int idle_variable = types.variable(types.raw(), "idle_allocator", allocator);
    const int bump_variable = types.variable(types.raw(), "scx_static", bump);
    section = types.datasec(".bss", 104);
    btf__add_datasec_var_info(types.raw(), task_variable, 0, 40);
    btf__add_datasec_var_info(types.raw(), idle_variable, 40, 40);
    btf__add_datasec_var_info(types.raw(), bump_variable, 80, 24);
    set_bss(8, kElemSize), set_bss(32, FakeArena::user(kRoot));
    node(kRoot, kRootChunk), node(kMiddle, kMiddleChunk), node(kLeaf, kLeafChunk);
    arena.put(kRootChunk, FakeArena::user(kMiddle));
    arena.put(kMiddleChunk, FakeArena::user(kLeaf));
  }

  void set_bss(std::size_t offset, std::uint64_t value) { std::memcpy(bss_bytes.data() + offset, &value, 8); }
  void node(std::uint64_t place, std::uint64_t chunk, std::uint64_t nr_free = 512) {
    arena.put(place + 64, nr_free);
    arena.put(place + 72, FakeArena::user(chunk));
  }
  [[nodiscard]] static std::uint64_t slot(std::uint64_t index) {
    return FakeArena::user(kSlots + index * kElemSize);
  }
  /// Allocates slot `index` (below 170: one page) of the leaf.
  void allocate(std::uint64_t index, std::uint64_t weight, std::uint64_t peer = 0) {
    const std::uint64_t place = kSlots + index * kElemSize;
    const std::uint64_t word = kLeaf + index / 64 * 8;
    std::uint64_t bits = arena.memory().get<std::uint64_t>(arena.page(word) + word % 4096);
    arena.put(word, bits | std::uint64_t{1} << index % 64);
    arena.put(kLeafChunk + index * 8, slot(index));
    arena.put(place, std::pair(static_cast<std::int32_t>(index), std::int32_t{3}));
    arena.put(place + 8, weight);
    arena.put(place + 16, peer);
  }

  [[nodiscard]] ProgramSection bss() const {
    return {std::make_shared<const Btf>(types.parse()), id(section), bss_bytes};
  }
  [[nodiscard]] SdtAllocations find() const {
    const ArenaReader reader = arena.reader();
    return find_sdt_allocations(&reader, bss());
  }
  [[nodiscard]] std::vector<SdtAllocatorSnapshot> read() const {
    std::vector<SdtAllocatorSnapshot> snapshots;
    std::size_t nodes_left = kMaxSdtValues;
    for (const SdtAllocator& allocator : find().allocators)
      snapshots.push_back(render_sdt_allocator(arena.reader(), allocator, RenderContext(), nodes_left));
    return snapshots;
  }

  MadeBtf types;
  FakeArena arena;
  std::vector<std::byte> bss_bytes{104};
  int task_ctx = 0;
  int section = 0;
};

}  // namespace ktstr::introspect::test
