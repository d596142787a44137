#include "introspect/bpf/write_map.h"

#include <doctest/doctest.h>

#include "introspect/bpf/map_list.h"
#include "tests/introspect/bpf/section_guest.h"
#include "tests/introspect/fake_btf.h"

namespace ktstr::introspect::test {
namespace {

/// A section, written by path.
struct WrittenSection : SectionGuest {
  Status write(std::string_view path, const ScalarValue& value) {
    return write_global(attach(), layouts(), writer, info(map), types, path, value);
  }
  WritableSpans writer{{{GuestPhys(0), ram()}}};
};

}  // namespace

TEST_CASE("globals are written by name, member and index") {
  WrittenSection guest;
  REQUIRE(guest.write("limit", std::int64_t{77}));
  REQUIRE(guest.write("delta", std::int64_t{-5}));
  REQUIRE(guest.write("on", true));
  REQUIRE(guest.write("name", std::string("web")));
  REQUIRE(guest.write("rate", 2.5));
  REQUIRE(guest.write("tuning[1].slots[2]", std::uint64_t{9}));
  CHECK(guest.at<std::uint32_t>(0) == 77);
  CHECK(guest.at<std::int8_t>(4) == -5);
  CHECK(guest.at<std::uint8_t>(5) == 1);
  CHECK(guest.at<char>(9) == 'e');
  CHECK(guest.at<double>(16) == 2.5);
  CHECK(guest.at<std::uint32_t>(24 + 16 + 4 + 8) == 9);
}

TEST_CASE("a bitfield is written and its neighbours are kept") {
  WrittenSection guest;
  REQUIRE(guest.write("tuning[0].low", std::int64_t{3}));
  REQUIRE(guest.write("tuning[0].high", std::int64_t{12}));
  CHECK(guest.at<std::uint32_t>(24) == 0xc3);
  CHECK(guest.write("tuning[0].low", std::int64_t{16}).error().code == ErrorCode::kInvalidArgument);
  CHECK(guest.at<std::uint32_t>(24) == 0xc3);
}

TEST_CASE("a signed bitfield takes what its bits can say, down to one bit") {
  WrittenSection guest;
  REQUIRE(guest.write("tuning[0].sign", std::int64_t{-1}));
  CHECK(guest.at<std::uint32_t>(24) == 0x100);
  REQUIRE(guest.write("tuning[0].sign", std::int64_t{0}));
  for (const std::int64_t number : {1, 2, 5, -2, -100})
    CHECK(guest.write("tuning[0].sign", number).error().message ==
          std::to_string(number) + " does not fit a bitfield of 1 bits");
  CHECK_FALSE(guest.write("tuning[0].sign", ~std::uint64_t{0}));
  REQUIRE(guest.write("tuning[0].two", std::int64_t{-2}));
  CHECK(guest.at<std::uint32_t>(24) == 0x400);
  REQUIRE(guest.write("tuning[0].two", std::int64_t{1}));
  CHECK_FALSE(guest.write("tuning[0].two", std::int64_t{2}));
  CHECK_FALSE(guest.write("tuning[0].two", std::int64_t{-3}));
}

TEST_CASE("values that do not fit their type are refused and nothing is written") {
  WrittenSection guest;
  CHECK(guest.write("limit", std::int64_t{-1}).error().message == "-1 does not fit unsigned int");
  CHECK_FALSE(guest.write("limit", std::uint64_t{1} << 32));
  CHECK_FALSE(guest.write("limit", 1.5));
  CHECK_FALSE(guest.write("delta", std::int64_t{128}));
  CHECK_FALSE(guest.write("on", std::int64_t{2}));
  CHECK_FALSE(guest.write("name", std::string("12345678")));
  CHECK_FALSE(guest.write("name", std::int64_t{1}));
  CHECK_FALSE(guest.write("limit", std::string("7")));
  CHECK_FALSE(guest.write("tuning", std::int64_t{1}));
  CHECK(guest.write("share", 1e300).error().code == ErrorCode::kInvalidArgument);
  CHECK(guest.at<std::uint64_t>(0) == 0);
}

TEST_CASE("what is not there is named") {
  WrittenSection guest;
  CHECK(guest.write("nothing", true).error().message ==
        "no variable nothing in ktstr.data (known: limit, delta, on, name, rate, tuning, label, share)");
  CHECK(guest.write("limti", true).error().message ==
        "no variable limti in ktstr.data (did you mean \"limit\"?)");
  CHECK(guest.write("tuning[2].low", true).error().code == ErrorCode::kNotFound);
  CHECK(guest.write("tuning[0].missing", true).error().code == ErrorCode::kNotFound);
  CHECK(guest.write("tuning[0", true).error().code == ErrorCode::kInvalidArgument);
  CHECK(guest.write("limit.x", true).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a variable that its section places outside the map is refused") {
  WrittenSection guest;
  guest.set(guest.map, "bpf_map", "value_size", std::uint32_t{24});
  guest.set(guest.map, "bpf_array", "elem_size", std::uint32_t{24});
  CHECK(guest.write("tuning[0].slots[0]", std::int64_t{1}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("read-only and frozen maps are refused with the reason") {
  WrittenSection guest;
  guest.set(guest.map, "bpf_map", "frozen", std::uint8_t{1});
  CHECK(guest.write("limit", true).error().message ==
        "map ktstr.data is frozen: user space may not change it");
  guest.set(guest.map, "bpf_map", "frozen", std::uint8_t{0});
  guest.set(guest.map, "bpf_map", "map_flags", std::uint32_t{1U << 3});
  CHECK(guest.write("limit", true).error().message == "map ktstr.data has BPF_F_RDONLY");
  BpfMapInfo constants = guest.info(guest.map);
  constants.map_flags = 0;
  constants.name = "ktstr.rodata";
  CHECK(write_refusal(constants).has_value());
  CHECK(guest.at<std::uint32_t>(0) == 0);
}

TEST_CASE("array values are written within their bounds") {
  WrittenSection guest;
  const KernelVirt array = guest.add_array({"array", map_type::kArray, 4, 8, 3}, {1, 2, 3});
  const std::uint32_t number = 0xabcd;
  const auto bytes = std::as_bytes(std::span(&number, 1));
  const auto write = [&](std::uint32_t index, std::uint64_t offset) {
    return write_array_value(guest.attach(), guest.layouts(), guest.writer, guest.info(array), index, offset,
                             bytes);
  };
  REQUIRE(write(1, 4));
  CHECK(guest.get<std::uint64_t>(guest.place(array, "bpf_array", "value") + 8) == 0xabcd'0000'0002);
  CHECK(write(3, 0).error().code == ErrorCode::kOutOfRange);
  CHECK(write(1, 5).error().code == ErrorCode::kOutOfRange);
  CHECK(write(1, ~std::uint64_t{0}).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("hash values are written where their key is, and no key is added") {
  WrittenSection guest;
  const KernelVirt table = guest.add_hash({"hash", map_type::kHash, 4, 8, 4});
  guest.add_element(table, 1, 5, 50);
  const KernelVirt node = guest.add_element(table, 1, 6, 60);
  const auto write = [&](std::uint32_t key, std::uint64_t value) {
    return write_hash_value(guest.attach(), guest.layouts(), guest.writer, guest.info(table),
                            std::as_bytes(std::span(&key, 1)), 0, std::as_bytes(std::span(&value, 1)));
  };
  REQUIRE(write(6, 600));
  CHECK(guest.get<std::uint64_t>(guest.place(node, "htab_elem", "key") + 8) == 600);
  CHECK(write(7, 1).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a variable larger than what is read at once is refused, whatever size its map claims") {
  constexpr std::uint32_t kHuge = 0xffff'fff8;
  FakeBtf btf;
  const int character = btf.integer("char", 1);
  const int variable =
      btf__add_var(btf.handle(), "huge", BTF_VAR_GLOBAL_ALLOCATED, btf.array(character, kHuge));
  const int section = btf__add_datasec(btf.handle(), ".bss", kHuge);
  btf__add_datasec_var_info(btf.handle(), variable, 0, kHuge);
  const Btf types = btf.parsed();
  SectionGuest guest;
  BpfMapInfo map = guest.info(guest.map);
  map.value_size = kHuge;
  map.btf_value_type_id = static_cast<std::uint32_t>(section);
  const auto place = find_global(map, types, "huge");
  REQUIRE_FALSE(place);
  CHECK(
      place.error().message ==
      "huge has 4294967288 bytes; at most 1048576 are read or written at once: name a member or an element");
  CHECK(find_global(map, types, "huge[7]").has_value());
  const GlobalPlace whole{BtfTypeId{1}, 0, kHuge, 0, 0};
  CHECK(read_global(guest.attach(), guest.layouts(), map, whole).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("a variable is read back as it was written") {
  WrittenSection guest;
  REQUIRE(guest.write("tuning[1].slots[0]", std::int64_t{1234}));
  const auto place = find_global(guest.info(guest.map), guest.types, "tuning[1].slots[0]").value();
  const auto bytes = read_global(guest.attach(), guest.layouts(), guest.info(guest.map), place).value();
  CHECK(number<std::uint32_t>(bytes) == 1234);
}

}  // namespace ktstr::introspect::test
