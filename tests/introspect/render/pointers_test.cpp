#include <doctest/doctest.h>

#include <map>

#include "introspect/render/render.h"
#include "tests/introspect/render/made_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::uint64_t kArena = 0x1000'0000'0000;
constexpr std::uint64_t kKernel = 0xffff'8880'0000'1000;

/// An arena and kernel memory of a few objects.
struct FakeContext : RenderContext {
  std::map<std::uint64_t, std::vector<std::byte>> objects;
  std::optional<ArenaObject> object;
  std::optional<TypeInBtf> definition;
  std::optional<InferredPointer> inferred;
  bool rendered = false;

  [[nodiscard]] std::optional<std::string> symbolize(std::uint64_t address) const override {
    return address == kKernel ? std::optional<std::string>("schedule+0x1c") : std::nullopt;
  }
  [[nodiscard]] bool is_arena_address(std::uint64_t address) const override {
    return address >> 32 == kArena >> 32;
  }
  [[nodiscard]] bool read_arena(std::uint64_t address, std::span<std::byte> out) const override {
    return read(address, out);
  }
  [[nodiscard]] bool read_kernel(std::uint64_t address, std::span<std::byte> out) const override {
    return read(address, out);
  }
  [[nodiscard]] std::optional<ArenaObject> arena_object(std::uint64_t, const Btf&) const override {
    return object;
  }
  [[nodiscard]] bool is_already_rendered(std::uint64_t) const override { return rendered; }
  [[nodiscard]] std::optional<TypeInBtf> find_definition(const Btf&, std::string_view, bool) const override {
    return definition;
  }
  [[nodiscard]] std::optional<InferredPointer> infer_pointer(const Btf&, BtfTypeId,
                                                             std::uint64_t offset) const override {
    return offset == 8 ? inferred : std::nullopt;
  }

 private:
  bool read(std::uint64_t address, std::span<std::byte> out) const {
    const auto found = objects.find(address);
    if (found == objects.end() || found->second.size() < out.size()) return false;
    std::memcpy(out.data(), found->second.data(), out.size());
    return true;
  }
};

/// struct node { struct node *next; u64 value; };
struct NodeTypes {
  MadeBtf types;
  int node = types.structure("node", 16, {{"next", 2, 0}, {"value", 3, 64}});
  int pointer = types.pointer(node);
  int u64 = types.u64();
};

const RenderedTarget& target(const RenderedValue& value) {
  const auto* pointer = value.get_if<RenderedPtr>();
  REQUIRE(pointer != nullptr);
  REQUIRE(bool(pointer->target));
  return *pointer->target;
}

}  // namespace

TEST_CASE("a kernel pointer has a symbol, a null pointer nothing") {
  NodeTypes made;
  const Btf btf = made.types.parse();
  const RenderedValue value = render_value(btf, id(made.pointer), bytes_of(kKernel), FakeContext());
  CHECK(target(value).symbol == "schedule+0x1c");
  CHECK_FALSE(target(value).deref.has_value());
  CHECK(render_value(btf, id(made.pointer), bytes_of(std::uint64_t{0}), FakeContext()) ==
        RenderedValue{RenderedPtr{}});
}

TEST_CASE("an arena pointer is followed, up to a cycle") {
  NodeTypes made;
  FakeContext context;
  context.objects[kArena] = bytes_of(kArena + 64, std::uint64_t{1});
  context.objects[kArena + 64] = bytes_of(kArena, std::uint64_t{2});
  const RenderedValue value = render_value(made.types.parse(), id(made.pointer), bytes_of(kArena), context);
  CHECK(value.get("value")->as_u64() == 1);
  CHECK(value.get("next.value")->as_u64() == 2);
  CHECK(target(*value.get("next.next")).deref_skipped_reason == "cycle → 0x100000000000");
}

TEST_CASE("a long list in the arena ends at the depth limit") {
  NodeTypes made;
  FakeContext context;
  for (std::uint64_t i = 0; i < 100; ++i)
    context.objects[kArena + i * 16] = bytes_of(kArena + (i + 1) * 16, i);
  const RenderedValue value = render_value(made.types.parse(), id(made.pointer), bytes_of(kArena), context);
  std::size_t depth = 0;
  for (const RenderedValue* node = &value; (node = node->member("next")) != nullptr;) ++depth;
  CHECK(depth > 8);
  CHECK(depth <= kMaxRenderDepth);
}

TEST_CASE("an object with two pointers to it is shown once") {
  NodeTypes made;
  const int pair = made.types.structure("pair", 16, {{"a", made.pointer, 0}, {"b", made.pointer, 64}});
  FakeContext context;
  context.objects[kArena] = bytes_of(std::uint64_t{0}, std::uint64_t{1});
  const RenderedValue value = render_value(made.types.parse(), id(pair), bytes_of(kArena, kArena), context);
  CHECK(value.get("a.value")->as_u64() == 1);
  CHECK(target(*value.get("b")).deref_skipped_reason == "already shown in this value");
}

TEST_CASE("why an arena pointer was not followed") {
  NodeTypes made;
  const int declared = made.types.pointer(btf__add_fwd(made.types.raw(), "hidden", BTF_FWD_STRUCT));
  const int anything = made.types.pointer(0);
  const Btf btf = made.types.parse();
  FakeContext context;
  const auto reason = [&](int type) {
    return target(render_value(btf, id(type), bytes_of(kArena), context)).deref_skipped_reason;
  };
  CHECK(reason(made.pointer) == "arena read failed (cross-page boundary or unmapped page)");
  CHECK(reason(declared) == "forward declaration; body not in this BTF");
  CHECK(reason(anything) == "void pointee");
  context.rendered = true;
  CHECK(reason(made.pointer) == "already rendered in sdt_allocations");
}

TEST_CASE("an allocator tells what a declared-only pointee is, past its header") {
  NodeTypes made;
  const int declared = made.types.pointer(btf__add_fwd(made.types.raw(), "sdt_data", BTF_FWD_STRUCT));
  const Btf btf = made.types.parse();
  FakeContext context;
  context.object = ArenaObject{{&btf, id(made.node)}, 8};
  context.objects[kArena + 8] = bytes_of(std::uint64_t{0}, std::uint64_t{42});
  const RenderedValue value = render_value(btf, id(declared), bytes_of(kArena), context);
  CHECK(target(value).cast_annotation == "sdt_alloc");
  CHECK(value.get("value")->as_u64() == 42);
}

TEST_CASE("a definition in another BTF is read with that BTF's numbers") {
  NodeTypes made;
  MadeBtf other;
  const int u32 = other.u32();
  const int hidden = other.structure("hidden", 4, {{"depth", u32, 0}});
  const Btf other_btf = other.parse();
  const int declared = made.types.pointer(btf__add_fwd(made.types.raw(), "hidden", BTF_FWD_STRUCT));
  FakeContext context;
  context.definition = TypeInBtf{&other_btf, id(hidden)};
  context.objects[kArena] = bytes_of(9U);
  const RenderedValue value = render_value(made.types.parse(), id(declared), bytes_of(kArena), context);
  CHECK(value.get("depth")->as_u64() == 9);
}

TEST_CASE("an integer known to hold a pointer is shown as one") {
  NodeTypes made;
  const Btf btf = made.types.parse();
  FakeContext context;
  context.inferred = InferredPointer{{&btf, id(made.node)}, PointerSpace::kArena};
  context.objects[kArena] = bytes_of(std::uint64_t{0}, std::uint64_t{3});
  const auto bytes = bytes_of(std::uint64_t{0}, kArena);
  const RenderedValue value = render_value(btf, id(made.node), bytes, context);
  CHECK(target(*value.get("value")).cast_annotation == "cast→arena");
  CHECK(value.get("value.value")->as_u64() == 3);
  const auto number = bytes_of(std::uint64_t{0}, std::uint64_t{12345});
  CHECK(*render_value(btf, id(made.node), number, context).get("value") ==
        RenderedValue{RenderedUint{64, 12345}});
}

TEST_CASE("a CPU mask behind a kernel pointer is read") {
  MadeBtf types;
  const int mask = types.structure("bpf_cpumask", 8, {{"bits", types.array(types.u64(), 1), 0}});
  const int kptr = types.pointer(btf__add_type_tag(types.raw(), "kptr", mask));
  FakeContext context;
  const Btf btf = types.parse();
  const RenderedValue unreadable = render_value(btf, id(kptr), bytes_of(kKernel), context);
  CHECK(target(unreadable).deref_skipped_reason ==
        "kernel read_kva failed at 0xffff888000001000 (unmapped page or no PTE); needed 8 bytes");
  context.objects[kKernel] = bytes_of(std::uint64_t{0b110});
  CHECK(*target(render_value(btf, id(kptr), bytes_of(kKernel), context)).deref ==
        RenderedValue{RenderedCpuList{"1-2"}});
}
