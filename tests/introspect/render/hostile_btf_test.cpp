#include <doctest/doctest.h>

#include <random>

#include "introspect/render/render.h"
#include "introspect/render/rendered_value_json.h"
#include "tests/introspect/render/made_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// Every address is the arena's and holds the same bytes: pointers lead everywhere and come back.
struct EndlessArena : RenderContext {
  std::vector<std::byte> page;

  [[nodiscard]] bool is_arena_address(std::uint64_t) const override { return true; }
  [[nodiscard]] bool read_arena(std::uint64_t address, std::span<std::byte> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = page[(address + i) % page.size()];
    return true;
  }
};

/// Types of all kinds that refer to each other.
std::vector<std::byte> all_kinds() {
  MadeBtf types;
  const int u32 = types.u32();
  const int letter = types.integer("char", 1, BTF_INT_CHAR);
  const int flags = btf__add_enum(types.raw(), "flags", 4);
  for (int bit = 0; bit < 8; ++bit) btf__add_enum_value(types.raw(), "FLAG", 1 << bit);
  const int wide = btf__add_enum64(types.raw(), "wide", 8, false);
  btf__add_enum64_value(types.raw(), "TOP", std::uint64_t{1} << 63);
  const int real = btf__add_float(types.raw(), "double", 8);
  const int mask = types.structure("cpumask", 8, {{"bits", types.array(types.u64(), 1), 0}});
  const int either = types.union_of("", 8, {{"mask", mask, 0}, {"real", real, 0}, {"wide", wide, 0}});
  const int inner = types.structure(
      "inner", 24, {{"text", types.array(letter, 8), 0}, {"", either, 64}, {"flags", flags, 128}});
  const int pointer = types.pointer(inner + 2);
  const int list = types.structure("list", 56,
                                   {{"next", pointer, 0},
                                    {"bits", u32, 64, 5},
                                    {"more", u32, 69, 20},
                                    {"inner", types.array(inner, 1), 128}});
  const int variable = types.variable(types.raw(), "variable", list);
  types.datasec(".bss", 64);
  btf__add_datasec_var_info(types.raw(), variable, 8, 56);
  return types.bytes();
}

std::vector<std::byte> random_bytes(std::mt19937_64& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace

TEST_CASE("any damage to the type table gives a value that survives JSON, within bounds") {
  std::mt19937_64 random(20260101);
  const auto intact = all_kinds();
  EndlessArena context;
  context.page = random_bytes(random, 4096);
  std::size_t parsed = 0;
  std::size_t lossless = 0;
  std::size_t rendered = 0;
  for (int round = 0; round < 3000; ++round) {
    auto bytes = intact;
    for (std::uint64_t i = 0; i < 1 + random() % 3; ++i)
      bytes[sizeof(btf_header) + random() % (bytes.size() - sizeof(btf_header))] =
          static_cast<std::byte>(random());
    const auto btf = Btf::parse(bytes);
    if (!btf) continue;
    ++parsed;
    const auto value_bytes = random_bytes(random, random() % 128);
    for (std::uint32_t type = 0; type <= btf->type_count(); type += 5) {
      const RenderedValue value = render_value(*btf, BtfTypeId{type}, value_bytes, context);
      ++rendered;
      const std::string json = to_json(value);
      if (json.size() > 100'000) continue;  // seldom, and the slow part of this test
      const auto back = from_json<RenderedValue>(json);
      REQUIRE_MESSAGE(back.has_value(), back.error().message);
      REQUIRE(*back == value);
      ++lossless;
    }
  }
  CHECK(parsed > 1000);
  CHECK(lossless > rendered / 2);
}

TEST_CASE("a tree of pointers without end stops at the node limit") {
  MadeBtf types;
  const int index = types.integer("__ARRAY_SIZE_TYPE__", 4);
  const int node = types.structure("node", 512, {{"children", index + 3, 0}});
  btf__add_array(types.raw(), index, types.pointer(node), 64);
  const Btf btf = types.parse();
  std::mt19937_64 random(7);
  EndlessArena context;
  context.page = random_bytes(random, 65521);
  const RenderedValue value = render_value(btf, id(node), random_bytes(random, 512), context);
  CHECK(value.get("children")->get_if<RenderedArray>()->len == 64);
  CHECK(to_json(value).size() < 100 * kMaxRenderedNodes);
}

TEST_CASE("arrays of huge arrays stop at the node limit") {
  MadeBtf types;
  const int inner = types.array(types.u32(), 1000);
  const int outer = types.array(inner, 1000);
  const std::vector<std::byte> bytes(4'000'000);
  const RenderedValue value = render_value(types.parse(), id(outer), bytes);
  std::size_t elements = 0;
  for (const RenderedValue& row : value.get_if<RenderedArray>()->elements)
    if (const auto* array = row.get_if<RenderedArray>()) elements += array->elements.size();
  CHECK(value.get_if<RenderedArray>()->len == 1000);
  CHECK(elements > kMaxRenderedNodes / 2);
  CHECK(elements <= kMaxRenderedNodes);
}
