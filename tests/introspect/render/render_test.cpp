#include "introspect/render/render.h"

#include <doctest/doctest.h>

#include "tests/introspect/render/made_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// struct task_ctx { u64 weight; char comm[16]; u32 a : 3; s32 b : 5; enum-less rest; union { u32 x; u8 y; };
/// }
struct TaskCtx {
  MadeBtf types;
  int u32 = types.u32();
  int u64 = types.u64();
  int s32 = types.integer("int", 4, BTF_INT_SIGNED);
  int u8 = types.integer("unsigned char", 1);
  int comm = types.array(types.integer("char", 1, BTF_INT_SIGNED), 16);
  int either = types.union_of("", 4, {{"x", u32, 0}, {"y", u8, 0}});
  int type = types.structure(
      "task_ctx", 32,
      {{"weight", u64, 0}, {"comm", comm, 64}, {"a", u32, 192, 3}, {"b", s32, 195, 5}, {"", either, 224}});

  [[nodiscard]] std::vector<std::byte> value() const {
    const char name[16] = "busy-0";
    return bytes_of(std::uint64_t{1024}, name, std::uint32_t{0b11101'101}, std::uint32_t{0x0102'0304});
  }
};

}  // namespace

TEST_CASE("a struct with text, bitfields and an anonymous union") {
  const TaskCtx made;
  const RenderedValue value = render_value(made.types.parse(), id(made.type), made.value());
  CHECK(value.get_if<RenderedStruct>()->type_name == "task_ctx");
  CHECK(value.get("weight")->as_u64() == 1024);
  CHECK(value.get("comm")->text() == "busy-0");
  CHECK(*value.get("a") == RenderedValue{RenderedUint{3, 5}});
  CHECK(*value.get("b") == RenderedValue{RenderedInt{5, -3}});
  CHECK(value.get("x")->as_u64() == 0x0102'0304);
  CHECK(value.get("y")->as_u64() == 4);
  CHECK(value.get("z") == nullptr);
}

TEST_CASE("a bitfield by itself") {
  MadeBtf types;
  const int s32 = btf__add_int(types.raw(), "int", 4, BTF_INT_SIGNED);
  const auto bytes = bytes_of(std::uint32_t{0b1'0110'0101});
  const Btf btf = types.parse();
  CHECK(render_bits(btf, id(s32), bytes, 2, 3) == RenderedValue{RenderedInt{3, 1}});
  CHECK(render_bits(btf, id(s32), bytes, 4, 3) == RenderedValue{RenderedInt{3, -2}});
  CHECK(render_bits(btf, id(s32), bytes, 30, 3).get_if<RenderedTruncated>() != nullptr);
  CHECK(render_bits(btf, id(s32), bytes, 0, 65).get_if<RenderedUnsupported>() != nullptr);
}

TEST_CASE("missing bytes are marked where they are missing") {
  const TaskCtx made;
  const auto bytes = made.value();
  const RenderedValue value = render_value(made.types.parse(), id(made.type), std::span(bytes).first(10));
  const auto* truncated = value.get_if<RenderedTruncated>();
  REQUIRE(truncated != nullptr);
  CHECK(truncated->needed == 32);
  CHECK(truncated->had == 10);
  CHECK(value.get("weight")->as_u64() == 1024);
  CHECK(value.get("comm")->text() == "bu");
  CHECK(value.get("comm")->get_if<RenderedTruncated>()->needed == 16);
  CHECK_FALSE(value.get("a")->as_u64().has_value());
  CHECK(value.get("x")->get_if<RenderedTruncated>()->had == 0);
}

TEST_CASE("a bitfield by an integer's own width") {
  MadeBtf types;
  const int u32 = types.u32();
  const int type = types.structure("old", 4, {{"low", u32, 0}});
  // Before kind_flag, a bitfield was a member of an INT with fewer bits than its size.
  auto bytes = types.bytes();
  Btf plain = types.parse();
  const auto* record = reinterpret_cast<const std::byte*>(plain.type(id(u32)));
  const auto in_table = static_cast<std::size_t>(record - plain.raw().data());
  const std::uint32_t nine_bits_from_bit_two = 2U << 16 | 9;
  std::memcpy(bytes.data() + in_table + sizeof(btf_type), &nine_bits_from_bit_two, 4);
  const auto btf = Btf::parse(bytes);
  REQUIRE(btf.has_value());
  CHECK(*render_value(*btf, id(type), bytes_of(std::uint32_t{0b101'0000'0111})).get("low") ==
        RenderedValue{RenderedUint{9, 0b1'0100'0001}});
}

TEST_CASE("typedefs, qualifiers and tags are seen through") {
  MadeBtf types;
  const int u32 = types.u32();
  const int tagged = btf__add_type_tag(types.raw(), "percpu", btf__add_const(types.raw(), u32));
  const int type = btf__add_typedef(types.raw(), "mine", btf__add_volatile(types.raw(), tagged));
  CHECK(render_value(types.parse(), id(type), bytes_of(7U)) == RenderedValue{RenderedUint{32, 7}});
}

TEST_CASE("arrays of arrays, and one longer than what is shown") {
  MadeBtf types;
  const int u32 = types.u32();
  const int grid = types.array(types.array(u32, 2), 2);
  const int lots = types.array(u32, 5000);
  const Btf btf = types.parse();
  const RenderedValue value = render_value(btf, id(grid), bytes_of(1U, 2U, 3U, 4U));
  CHECK(value.index(1)->index(0)->as_u64() == 3);
  const std::vector<std::byte> zeros(20000);
  const RenderedValue many = render_value(btf, id(lots), zeros);
  CHECK(many.get_if<RenderedArray>()->len == 5000);
  CHECK(many.get_if<RenderedArray>()->elements.size() == kMaxRenderedElements);
}

TEST_CASE("an array cut short shows the elements that are there") {
  MadeBtf types;
  const int type = types.array(types.u32(), 4);
  const auto bytes = bytes_of(1U, 2U, 3U);
  const RenderedValue value = render_value(types.parse(), id(type), std::span(bytes).first(11));
  CHECK(value.get_if<RenderedTruncated>()->needed == 16);
  CHECK(value.get_if<RenderedTruncated>()->had == 11);
  CHECK(value.index(1)->as_u64() == 2);
  CHECK(value.index(2) == nullptr);
}

TEST_CASE("a flexible array takes the bytes behind its struct, an embedded one has none") {
  MadeBtf types;
  const int u32 = types.u32();
  const int flexible = types.structure("entry", 4, {{"len", u32, 0}, {"data", types.array(u32, 0), 32}});
  const int outer = types.structure("outer", 8, {{"first", flexible, 0}, {"second", u32, 32}});
  const Btf btf = types.parse();
  const auto bytes = bytes_of(2U, 10U, 11U);
  const RenderedValue value = render_value(btf, id(flexible), bytes);
  CHECK(value.get("data")->get_if<RenderedArray>()->len == 2);
  CHECK(value.get("data")->index(1)->as_u64() == 11);
  const RenderedValue embedded = render_value(btf, id(outer), bytes);
  CHECK(embedded.get("first.data")->get_if<RenderedArray>()->len == 0);
  CHECK(embedded.get("second")->as_u64() == 10);
}

TEST_CASE("a section's variables by name") {
  MadeBtf types;
  const int u32 = types.u32();
  const int stall = types.variable(types.raw(), "stall", u32);
  const int count = types.variable(types.raw(), "count", types.u64());
  const int bss = types.datasec(".bss", 16);
  btf__add_datasec_var_info(types.raw(), stall, 0, 4);
  btf__add_datasec_var_info(types.raw(), count, 8, 8);
  const RenderedValue value =
      render_value(types.parse(), id(bss), bytes_of(std::uint64_t{1}, std::uint64_t{99}));
  CHECK(value.get_if<RenderedStruct>()->type_name == ".bss");
  CHECK(value.get("stall")->as_u64() == 1);
  CHECK(value.get("count")->as_u64() == 99);
}

TEST_CASE("CPU masks as ranges, cut at the number of CPUs") {
  struct FourCpus : RenderContext {
    [[nodiscard]] std::size_t nr_cpu_ids() const override { return 4; }
  };
  MadeBtf types;
  const int mask = types.structure("cpumask", 16, {{"bits", types.array(types.u64(), 2), 0}});
  const int alias = btf__add_typedef(types.raw(), "cpumask_t", mask);
  const int counted =
      types.structure("bpf_cpumask", 24, {{"cpumask", alias, 0}, {"usage", types.u32(), 128}});
  const Btf btf = types.parse();
  const auto bytes = bytes_of(std::uint64_t{0b10'0111}, std::uint64_t{1}, std::uint64_t{1});
  CHECK(render_value(btf, id(alias), bytes) == RenderedValue{RenderedCpuList{"0-2,5,64"}});
  CHECK(render_value(btf, id(counted), bytes, FourCpus()) == RenderedValue{RenderedCpuList{"0-2"}});
  CHECK(render_value(btf, id(mask), std::span(bytes).first(8)).get_if<RenderedTruncated>()->needed == 16);
}

TEST_CASE("BPF's opaque types show their addresses") {
  MadeBtf types;
  const int head = types.structure("bpf_list_head", 16, {{"__opaque", types.array(types.u64(), 2), 0}});
  const int timer = types.structure("bpf_timer", 16, {{"__opaque", types.array(types.u64(), 2), 0}});
  const int lock = types.structure("bpf_spin_lock", 4, {{"val", types.u32(), 0}});
  const Btf btf = types.parse();
  const auto bytes = bytes_of(std::uint64_t{0xffff'8880'0000'1000}, std::uint64_t{1});
  CHECK(render_value(btf, id(head), bytes).get("__opaque")->index(1)->get_if<RenderedPtr>()->value == 1);
  CHECK(*render_value(btf, id(timer), bytes).get("__opaque")->index(1) == RenderedValue{RenderedUint{64, 1}});
  CHECK(render_value(btf, id(lock), bytes_of(1U)).get("val")->as_u64() == 1);
}

TEST_CASE("types that have no value say so") {
  MadeBtf types;
  const int declared = btf__add_fwd(types.raw(), "hidden", BTF_FWD_STRUCT);
  const Btf btf = types.parse();
  CHECK(render_value(btf, id(declared), {}).get_if<RenderedUnsupported>()->reason ==
        "forward declaration of hidden");
  CHECK(render_value(btf, id(0), {}).get_if<RenderedUnsupported>()->reason == "void");
  CHECK(render_value(btf, id(999), {}).get_if<RenderedUnsupported>()->reason == "no type 999 in this BTF");
}

TEST_CASE("a struct that contains itself ends") {
  MadeBtf types;
  const int self = types.structure("self", 8, {{"inner", 1, 0}, {"again", 1, 0}});
  REQUIRE(self == 1);
  const RenderedValue value = render_value(types.parse(), id(self), bytes_of(std::uint64_t{0}));
  const RenderedValue* deepest = &value;
  std::size_t depth = 0;
  for (; const RenderedValue* next = deepest->member("inner"); ++depth) deepest = next;
  CHECK(depth == kMaxRenderDepth + 1);
  CHECK(deepest->get_if<RenderedUnsupported>() != nullptr);
}
