#include "introspect/btf.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "tests/introspect/fake_btf.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

/// struct outer { u32 plain; union { u64 word; struct { u32 low, high; }; }; inner_t in[3]; u32 a:5, b:3; };
FakeBtf sample() {
  FakeBtf btf;
  const int u32 = btf.integer("unsigned int", 4), u64 = btf.integer("unsigned long", 8);
  const int inner = btf.structure("inner", 16, {{"count", u64, 0}, {"next", btf.pointer(u64), 64}});
  const int inner_t = btf.alias("inner_t", btf__add_const(btf.handle(), btf.alias("inner_alias", inner)));
  const int halves = btf.structure(nullptr, 8, {{"low", u32, 0}, {"high", u32, 32}});
  const int anonymous = btf.variant(nullptr, 8, {{"word", u64, 0}, {nullptr, halves, 0}});
  btf.structure("outer", 72,
                {{"plain", u32, 0},
                 {nullptr, anonymous, 64},
                 {"in", btf.array(inner_t, 3), 128},
                 {"a", u32, 512, 5},
                 {"b", u32, 517, 3}});
  btf.enumeration("exit_kind", {{"EXIT_NONE", 0}, {"EXIT_ERROR", 1024}, {"EXIT_BELOW", -1}});
  btf.enumeration(nullptr, {{"LONELY", 7}});
  return btf;
}

Result<BtfMember> resolve(const Btf& btf, std::string_view path) {
  return btf.member(*btf.find_struct("outer"), path);
}

std::string error_of(const std::vector<std::byte>& bytes) {
  const auto parsed = Btf::parse(bytes);
  return parsed ? "parsed" : parsed.error().message;
}

}  // namespace

TEST_CASE("members are found by path: plain, through anonymous members, arrays, typedefs and qualifiers") {
  const Btf btf = sample().parsed();
  CHECK(resolve(btf, "plain")->byte_offset() == 0);
  CHECK(resolve(btf, "word")->byte_offset() == 8);
  CHECK(resolve(btf, "high")->byte_offset() == 12);
  CHECK(resolve(btf, "in")->size_bytes == 48);
  CHECK(resolve(btf, "in[2].next")->byte_offset() == 16 + 2 * 16 + 8);
  CHECK(resolve(btf, "in[2].next")->size_bytes == 8);
  CHECK(btf.find_struct("inner_t") == btf.find_struct("inner"));
}

TEST_CASE("a bitfield has its bit offset and width") {
  const Btf btf = sample().parsed();
  const auto member = resolve(btf, "b");
  REQUIRE(member.has_value());
  CHECK(member->bit_offset == 517);
  CHECK(member->bitfield_bits == 3);
  CHECK(member->size_bytes == 4);
}

TEST_CASE("paths that lead nowhere say which part is missing") {
  const Btf btf = sample().parsed();
  CHECK(resolve(btf, "nothing").error().message == "no member nothing");
  CHECK(resolve(btf, "plain.deeper").error().message == "no member deeper");
  CHECK(resolve(btf, "in[3].count").error().message == "no element [3] of 3");
  CHECK(resolve(btf, "in[-1]").error().message == "no element [-1] of 3");
  CHECK(resolve(btf, "in[0].next.count").error().code == ErrorCode::kNotFound);
  CHECK(resolve(btf, "plain[0]").error().message == "not an array");
  CHECK(resolve(btf, "").error().code == ErrorCode::kNotFound);
  CHECK(resolve(btf, "in[").error().code == ErrorCode::kNotFound);
  CHECK_FALSE(btf.find_struct("absent").has_value());
  CHECK_FALSE(btf.find_struct("exit_kind").has_value());
}

TEST_CASE("enumerators are found by enum and by name, signed ones too") {
  const Btf btf = sample().parsed();
  const auto kinds = btf.enumerators("exit_kind");
  REQUIRE(kinds.size() == 3);
  CHECK(kinds[1].name == "EXIT_ERROR");
  CHECK(kinds[1].value == 1024);
  CHECK(kinds[2].value == -1);
  CHECK(btf.enumerator("LONELY") == 7);
  CHECK_FALSE(btf.enumerator("EXIT_UNKNOWN").has_value());
  CHECK(btf.enumerators("no_such_enum").empty());
}

TEST_CASE("members, pointees and arrays can be listed") {
  const Btf btf = sample().parsed();
  const auto members = btf.members(*btf.find_struct("inner_t"));
  REQUIRE(members.size() == 2);
  CHECK(members[1].name == "next");
  CHECK(btf.size_of(*btf.pointee(members[1].member.type)) == 8);
  CHECK_FALSE(btf.pointee(members[0].member.type).has_value());
  CHECK(btf.array(resolve(btf, "in")->type)->first == 3);
  CHECK_FALSE(btf.array(members[0].member.type).has_value());
}

TEST_CASE("a damaged header is named") {
  const auto good = sample().bytes();
  CHECK(error_of({}) == "BTF: 0 bytes are no header");
  const auto with = [&](std::size_t offset, std::uint32_t value) {
    auto bytes = good;
    std::memcpy(&bytes[offset], &value, sizeof(value));
    return error_of(bytes);
  };
  CHECK(with(0, 0x1234) == "BTF: wrong magic number");
  CHECK(with(0, 0x0002eb9f) == "BTF: unknown version 2");
  CHECK(with(4, 8) == "BTF: wrong header length");
  CHECK(with(4, 26) == "BTF: the types are not aligned");
  CHECK(with(8, 2) == "BTF: the types are not aligned");
  CHECK(with(12, 0x7fff'ffff) == "BTF: the types reach past the end");
  CHECK(with(16, 0xffff'fff0) == "BTF: the strings reach past the end");
  auto cut = good;
  cut.resize(good.size() - 1);
  CHECK(error_of(cut) == "BTF: the strings reach past the end");
  auto unterminated = good;
  unterminated.back() = std::byte{'x'};
  CHECK(error_of(unterminated) == "BTF: the string table neither begins nor ends with an empty string");
}

TEST_CASE("a damaged type table is named in libbpf's words") {
  auto bytes = sample().bytes();
  constexpr std::size_t kFirstTypesInfo = 24 + 4;
  const std::uint32_t unknown_kind = 31U << 24;
  std::memcpy(&bytes[kFirstTypesInfo], &unknown_kind, sizeof(unknown_kind));
  CHECK(error_of(bytes) == "BTF: libbpf: Unsupported BTF_KIND:31");
}

TEST_CASE("typedefs in a circle resolve to nothing") {
  FakeBtf writer;
  const int first = writer.alias("round", 2);
  writer.alias("about", first);
  const Btf btf = writer.parsed();
  CHECK_FALSE(btf.find_struct("round").has_value());
  CHECK_FALSE(btf.size_of(BtfTypeId{1}).has_value());
}

TEST_CASE("anonymous members that multiply without end are refused") {
  FakeBtf writer;
  int type = writer.structure(nullptr, 4, {{"leaf", writer.integer("int", 4), 0}});
  for (int depth = 0; depth < 14; ++depth)
    type = writer.variant(nullptr, 4,
                          {{nullptr, type, 0}, {nullptr, type, 0}, {nullptr, type, 0}, {nullptr, type, 0}});
  writer.structure("bomb", 4, {{nullptr, type, 0}});
  const Btf btf = writer.parsed();
  CHECK(btf.member(*btf.find_struct("bomb"), "absent").error().code == ErrorCode::kCorrupt);
}

TEST_CASE("BTF with random bytes changed is refused or read, and never crashes") {
  const auto good = sample().bytes();
  std::mt19937 random(20);
  int parsed = 0;
  for (int round = 0; round < 5000; ++round) {
    auto bytes = good;
    for (int change = 0; change < 1 + round % 4; ++change)
      bytes[24 + random() % (bytes.size() - 24)] = static_cast<std::byte>(random());
    const auto btf = Btf::parse(bytes);
    if (!btf) continue;
    ++parsed;
    for (std::uint32_t id = 0; id < btf->type_count() + 2; ++id) {
      static_cast<void>(btf->size_of(BtfTypeId{id}));
      static_cast<void>(btf->members(BtfTypeId{id}));
      for (const char* path : {"plain", "high", "in[2].next", "b"})
        static_cast<void>(btf->member(BtfTypeId{id}, path));
    }
    static_cast<void>(btf->enumerators("exit_kind"));
    static_cast<void>(btf->enumerator("LONELY"));
  }
  CHECK(parsed > 100);
}
