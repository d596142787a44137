#include "introspect/render/pointer_places.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "introspect/render/render.h"
#include "tests/introspect/render/made_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::uint64_t kArenaPlace = 0x1000'0000'0000;
constexpr std::uint64_t kKernelPlace = 0xffff'8880'0000'0000;

/// Everything is mapped: at arena addresses lies what `arena` says, kernel memory is zeros. Remembers what is
/// read.
struct RecordingContext : RenderContext {
  using Reads = std::set<std::pair<std::uint64_t, std::size_t>>;
  std::vector<std::byte> arena;
  std::optional<std::uint64_t> inferred_at;  ///< offset of an integer that is a pointer to `inferred`
  TypeInBtf inferred;
  mutable Reads reads;

  [[nodiscard]] bool is_arena_address(std::uint64_t address) const override {
    return address >> 32 == kArenaPlace >> 32;
  }
  [[nodiscard]] bool read_arena(std::uint64_t address, std::span<std::byte> out) const override {
    std::copy_n(arena.begin(), std::min(arena.size(), out.size()), out.begin());
    return reads.emplace(address, out.size()), true;
  }
  [[nodiscard]] bool read_kernel(std::uint64_t address, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{});
    return reads.emplace(address, out.size()), true;
  }
  [[nodiscard]] std::optional<InferredPointer> infer_pointer(const Btf&, BtfTypeId,
                                                             std::uint64_t offset) const override {
    if (offset != inferred_at) return std::nullopt;
    return InferredPointer{inferred, PointerSpace::kKernel};
  }
};

/// struct bpf_cpumask { u64 bits[1]; }; struct node { struct bpf_cpumask *mask; u64 value; struct node *next;
/// };
struct Types {
  MadeBtf made;
  int u64 = made.u64();
  int mask = made.structure("bpf_cpumask", 8, {{"bits", made.array(u64, 1), 0}});
  int mask_pointer = made.pointer(mask);
  int node_pointer = made.pointer(mask_pointer + 2);
  int node = made.structure("node", 24,
                            {{"mask", mask_pointer, 0}, {"value", u64, 64}, {"next", node_pointer, 128}});
};

/// What following the pointers reads, after checking that rendering the value reads nothing else.
RecordingContext::Reads reads_of(const Types& types, int type, const std::vector<std::byte>& bytes,
                                 RecordingContext context) {
  const Btf btf = types.made.parse();
  context.inferred.btf = &btf;
  static_cast<void>(render_value(btf, id(type), bytes, context));
  const auto by_rendering = std::exchange(context.reads, {});
  PointerFollower(context).follow(btf, id(type), bytes, {});
  CHECK(std::ranges::includes(context.reads, by_rendering));
  return context.reads;
}

RecordingContext context_with_node() {
  RecordingContext context;
  context.arena = bytes_of(kKernelPlace + 64, std::uint64_t{1}, std::uint64_t{0});
  return context;
}

std::size_t count_places(const Types& types, int type) {
  return pointer_places(types.made.parse(), id(type), RecordingContext()).size();
}

}  // namespace

TEST_CASE("a value without pointers has no places") {
  Types types;
  const int plain = types.made.structure(
      "plain", 72, {{"numbers", types.made.array(types.u64, 8), 0}, {"mask", types.mask, 512}});
  CHECK(count_places(types, plain) == 0);
  CHECK(count_places(types, types.u64) == 0);
  CHECK(count_places(types, 0) == 0);
}

TEST_CASE("masks behind pointers are read, directly and behind arena pointers") {
  Types types;
  const auto bytes = bytes_of(kKernelPlace, std::uint64_t{5}, kArenaPlace);
  CHECK(reads_of(types, types.node, bytes, context_with_node()) ==
        RecordingContext::Reads{{kArenaPlace, 24}, {kKernelPlace, 8}, {kKernelPlace + 64, 8}});
}

TEST_CASE("null pointers and values cut short lead nowhere") {
  Types types;
  const auto nothing = bytes_of(std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{0});
  CHECK(reads_of(types, types.node, nothing, {}).empty());
  CHECK(reads_of(types, types.node, bytes_of(std::uint32_t{7}), {}).empty());
}

TEST_CASE("arrays, unions and anonymous members are gone through") {
  Types types;
  const int both = types.made.union_of("", 24, {{"one", types.mask_pointer, 0}, {"all", types.node, 0}});
  const int table =
      types.made.structure("table", 56, {{"count", types.u64, 0}, {"", types.made.array(both, 2), 64}});
  CHECK(count_places(types, table) == 6);
  const auto bytes = bytes_of(std::uint64_t{2}, kKernelPlace, std::uint64_t{}, kArenaPlace, kKernelPlace + 8,
                              std::uint64_t{}, std::uint64_t{});
  CHECK(reads_of(types, table, bytes, context_with_node()).size() == 4);
}

TEST_CASE("a long array is one place, and read like many") {
  Types types;
  const int array = types.made.array(types.mask_pointer, 200);
  const int table = types.made.structure("table", 1608, {{"count", types.u64, 0}, {"masks", array, 64}});
  CHECK(count_places(types, table) == 1);
  auto bytes = bytes_of(std::uint64_t{200});
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto pointer = bytes_of(kKernelPlace + i * 8);
    bytes.insert(bytes.end(), pointer.begin(), pointer.end());
  }
  CHECK(reads_of(types, table, bytes, {}).size() == 200);
}

TEST_CASE("a flexible array's pointers are as many as there are bytes") {
  Types types;
  const int tail = types.made.array(types.mask_pointer, 0);
  const int list = types.made.structure("list", 8, {{"count", types.u64, 0}, {"masks", tail, 64}});
  CHECK(
      reads_of(types, list, bytes_of(std::uint64_t{3}, kKernelPlace, kKernelPlace + 8, kKernelPlace + 16), {})
          .size() == 3);
}

TEST_CASE("integers that the context takes for pointers are followed, within structures and sections") {
  Types types;
  const int pair = types.made.structure("pair", 16, {{"a", types.u64, 0}, {"b", types.u64, 64}});
  const int variable = MadeBtf::variable(types.made.raw(), "address", types.u64);
  const int section = types.made.datasec(".bss", 16);
  btf__add_datasec_var_info(types.made.raw(), variable, 8, 8);
  RecordingContext context;
  context.inferred_at = 8;
  context.inferred.type = id(types.mask);
  const auto bytes = bytes_of(std::uint64_t{1}, kKernelPlace);
  CHECK(reads_of(types, pair, bytes, context) == RecordingContext::Reads{{kKernelPlace, 8}});
  CHECK(reads_of(types, section, bytes, context) == RecordingContext::Reads{{kKernelPlace, 8}});
}

TEST_CASE("a pointer is followed once, by each type that it has") {
  Types types;
  const Btf btf = types.made.parse();
  const RecordingContext context;
  PointerFollower follower(context);
  std::vector<RenderedValue> seen;
  for (int i = 0; i < 2; ++i)
    for (const int type : {types.mask_pointer, types.node_pointer})
      follower.follow(btf, id(type), bytes_of(kKernelPlace),
                      [&](const RenderedValue& value) { seen.push_back(value); });
  CHECK(seen.size() == 2);
  CHECK(follower.leads_out(btf, id(types.node)));
  CHECK_FALSE(follower.leads_out(btf, id(types.mask)));
}

TEST_CASE("a type with too many places is one place") {
  Types types;
  int type = types.mask_pointer;
  for (const std::uint32_t bytes : {8U * 40, 8U * 40 * 40})
    type = types.made.structure("level", bytes, {{"items", types.made.array(type, 40), 0}});
  CHECK(count_places(types, type) == 1);
}

TEST_CASE("arrays of arrays do not multiply before they are given up") {
  Types types;
  int type = types.mask_pointer;
  for (int level = 0; level < 5; ++level) type = types.made.array(type, 64);
  const int value = types.made.structure("value", 8, {{"x", type, 0}});
  CHECK(count_places(types, value) == 1);
  const int few = types.made.array(types.made.array(types.mask_pointer, 32), 32);
  CHECK(count_places(types, types.made.structure("few", 8192, {{"x", few, 0}})) == kMaxPointerPlaces);
}

TEST_CASE("structures within each other without end are given up") {
  Types types;
  const int self = types.made.pointer(0);
  int type = self;
  for (int level = 0; level < 40; ++level)
    type = types.made.structure("twice", 8, {{"a", type, 0}, {"b", type, 0}});
  CHECK(count_places(types, type) == 1);
}
