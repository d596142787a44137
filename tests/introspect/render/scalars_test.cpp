#include "introspect/render/scalars.h"

#include <doctest/doctest.h>

#include <limits>

#include "introspect/render/render.h"
#include "introspect/render/rendered_value_json.h"
#include "tests/introspect/render/made_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

template <class T>
RenderedValue render_as(const MadeBtf& types, int type, const T& value) {
  return render_value(types.parse(), id(type), bytes_of(value));
}

}  // namespace

TEST_CASE("integers keep their width and sign") {
  MadeBtf types;
  const int s8 = types.integer("signed char", 1, BTF_INT_SIGNED);
  const int u16 = types.integer("unsigned short", 2);
  const int s32 = types.integer("int", 4, BTF_INT_SIGNED);
  const int u64 = types.integer("unsigned long", 8);
  CHECK(render_as(types, s8, std::int8_t{-5}) == RenderedValue{RenderedInt{8, -5}});
  CHECK(render_as(types, u16, std::uint16_t{65535}) == RenderedValue{RenderedUint{16, 65535}});
  CHECK(render_as(types, s32, std::numeric_limits<int>::min()) ==
        RenderedValue{RenderedInt{32, std::numeric_limits<int>::min()}});
  CHECK(render_as(types, u64, ~std::uint64_t{0}) == RenderedValue{RenderedUint{64, ~std::uint64_t{0}}});
}

TEST_CASE("a bool is one only while its byte is 0 or 1") {
  MadeBtf types;
  const int boolean = types.integer("_Bool", 1, BTF_INT_BOOL);
  CHECK(render_as(types, boolean, std::uint8_t{1}) == RenderedValue{RenderedBool{true}});
  CHECK(render_as(types, boolean, std::uint8_t{7}) == RenderedValue{RenderedUint{8, 7}});
}

TEST_CASE("a char is known by its encoding and by its name, an unsigned char is a number") {
  MadeBtf types;
  const int encoded = types.integer("letter", 1, BTF_INT_CHAR);
  const int named = types.integer("char", 1, BTF_INT_SIGNED);
  const int u8 = types.integer("unsigned char", 1);
  CHECK(render_as(types, encoded, 'x') == RenderedValue{RenderedChar{'x'}});
  CHECK(render_as(types, named, 'y') == RenderedValue{RenderedChar{'y'}});
  CHECK(render_as(types, u8, 'z') == RenderedValue{RenderedUint{8, 'z'}});
}

TEST_CASE("128-bit integers are numbers where one holds them, else bytes") {
  MadeBtf types;
  const int u128 = types.integer("unsigned __int128", 16);
  const int s128 = types.integer("__int128", 16, BTF_INT_SIGNED);
  CHECK(render_as(types, u128, static_cast<unsigned __int128>(77)) == RenderedValue{RenderedUint{128, 77}});
  CHECK(render_as(types, s128, static_cast<__int128>(-3)) == RenderedValue{RenderedInt{128, -3}});
  CHECK(render_as(types, u128, static_cast<unsigned __int128>(1) << 64) ==
        RenderedValue{RenderedBytes{"00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00"}});
}

TEST_CASE("floats of two, four and eight bytes") {
  MadeBtf types;
  const int half = btf__add_float(types.raw(), "_Float16", 2);
  const int single = btf__add_float(types.raw(), "float", 4);
  const int twice = btf__add_float(types.raw(), "double", 8);
  CHECK(render_as(types, half, std::uint16_t{0xc100}) == RenderedValue{RenderedFloat{16, -2.5}});
  CHECK(render_as(types, half, std::uint16_t{0x0001}) == RenderedValue{RenderedFloat{16, 0x1p-24}});
  CHECK(render_as(types, single, 1.5F) == RenderedValue{RenderedFloat{32, 1.5}});
  CHECK(render_as(types, twice, -0.1) == RenderedValue{RenderedFloat{64, -0.1}});
}

TEST_CASE("enums by name, unknown values as numbers, negative ones with their sign") {
  MadeBtf types;
  const int kind = btf__add_enum(types.raw(), "kind", 4);
  btf__add_enum_value(types.raw(), "NONE", 0);
  btf__add_enum_value(types.raw(), "BAD", -1);
  CHECK(render_as(types, kind, std::int32_t{-1}) == RenderedValue{RenderedEnum{32, -1, "BAD", true}});
  CHECK(render_as(types, kind, std::int32_t{5}) == RenderedValue{RenderedEnum{32, 5, std::nullopt, true}});
}

TEST_CASE("a 64-bit enum keeps all its bits") {
  MadeBtf types;
  const int dsq = btf__add_enum64(types.raw(), "dsq", 8, false);
  btf__add_enum64_value(types.raw(), "LOCAL_ON", 0xc000'0000'0000'0000);
  const RenderedValue value = render_as(types, dsq, std::uint64_t{0xc000'0000'0000'0000});
  CHECK(value.as_u64() == 0xc000'0000'0000'0000);
  CHECK(value.get_if<RenderedEnum>()->variant == "LOCAL_ON");
}

TEST_CASE("sums of flags are named, sums of what merely counts are not") {
  MadeBtf types;
  const int flags = btf__add_enum(types.raw(), "flags", 4);
  btf__add_enum_value(types.raw(), "A", 1);
  btf__add_enum_value(types.raw(), "B", 2);
  btf__add_enum_value(types.raw(), "C", 4);
  const int states = btf__add_enum(types.raw(), "states", 4);
  btf__add_enum_value(types.raw(), "ONE", 1);
  btf__add_enum_value(types.raw(), "TWO", 2);
  btf__add_enum_value(types.raw(), "THREE", 3);
  btf__add_enum_value(types.raw(), "FOUR", 4);
  CHECK(render_as(types, flags, 5U).get_if<RenderedEnum>()->variant == "A|C");
  CHECK_FALSE(render_as(types, flags, 9U).get_if<RenderedEnum>()->variant.has_value());
  CHECK_FALSE(render_as(types, states, 5U).get_if<RenderedEnum>()->variant.has_value());
}

TEST_CASE("bits are cut out across bytes and up to nine of them") {
  const auto bytes = bytes_of(std::uint64_t{0xfedc'ba98'7654'3210}, std::uint8_t{0x5a});
  CHECK(read_bits(bytes, 4, 8) == 0x21);
  CHECK(read_bits(bytes, 4, 64) == 0xafed'cba9'8765'4321);
  CHECK(read_bits(bytes, 68, 4) == 5);
  CHECK_FALSE(read_bits(bytes, 69, 4).has_value());
  CHECK_FALSE(read_bits(bytes, ~std::uint64_t{0}, 1).has_value());
}
