#include "introspect/bpf/map_list.h"

#include <doctest/doctest.h>

#include "tests/introspect/bpf/bpf_guest.h"

namespace ktstr::introspect::test {

TEST_CASE("maps are listed by id with all that their headers say") {
  BpfGuest guest;
  guest.add_array({"first", map_type::kArray, 4, 16, 3}, {});
  const KernelVirt second = guest.add_map("bpf_map", {"ktstr.rodata", map_type::kArray, 4, 24, 1});
  guest.set(second, "bpf_map", "map_flags", std::uint32_t{0x80});
  guest.set(second, "bpf_map", "map_extra", std::uint64_t{7});
  guest.set(second, "bpf_map", "frozen", std::uint8_t{1});
  guest.set(second, "bpf_map", "btf", KernelVirt(0xffff'8880'0001'0000));
  guest.set(second, "bpf_map", "btf_value_type_id", std::uint32_t{9});
  const auto walk = list_bpf_maps(guest.attach(), guest.layouts()).value();
  CHECK(walk.complete());
  REQUIRE(walk.items.size() == 2);
  CHECK(walk.items[0].name == "first");
  CHECK(walk.items[0].max_entries == 3);
  CHECK_FALSE(walk.items[0].frozen);
  CHECK_FALSE(walk.items[0].btf_kva.has_value());
  const BpfMapInfo& map = walk.items[1];
  CHECK(map.address == second);
  CHECK(map.id == 2);
  CHECK(map.name == "ktstr.rodata");
  CHECK(map.type_name == "ARRAY");
  CHECK(map.value_size == 24);
  CHECK(map.map_flags == 0x80);
  CHECK(map.map_extra == 7);
  CHECK(map.frozen);
  CHECK(map.btf_kva == KernelVirt(0xffff'8880'0001'0000));
  CHECK(map.btf_value_type_id == 9);
}

TEST_CASE("a name of 16 bytes has no end and is taken whole") {
  BpfGuest guest;
  guest.add_map("bpf_map", {"sixteen_bytes_ab", map_type::kArray});
  CHECK(list_bpf_maps(guest.attach(), guest.layouts())->items.at(0).name == "sixteen_bytes_ab");
}

TEST_CASE("of two names for one map type the current one is given") {
  BpfGuest guest;
  guest.add_map("bpf_map", {"storage", 19});
  CHECK(list_bpf_maps(guest.attach(), guest.layouts())->items.at(0).type_name == "CGROUP_STORAGE");
}

TEST_CASE("entries that are no maps are reported, and the others are still found") {
  BpfGuest guest;
  const KernelVirt wrong_id = guest.add_map("bpf_map", {"one", map_type::kArray});
  const KernelVirt wrong_type = guest.add_map("bpf_map", {"two", 99});
  const KernelVirt wrong_name = guest.add_map("bpf_map", {"th ee", map_type::kArray});
  guest.add_map("bpf_map", {"four", map_type::kArray});
  guest.set(wrong_id, "bpf_map", "id", std::uint32_t{41});
  const auto walk = list_bpf_maps(guest.attach(), guest.layouts()).value();
  REQUIRE(walk.items.size() == 1);
  CHECK(walk.items[0].name == "four");
  REQUIRE(walk.bad.size() == 3);
  CHECK(walk.bad[0].id == 1);
  CHECK(walk.bad[0].reason == "says that its id is 41");
  CHECK(walk.bad[1].address == wrong_type);
  CHECK(walk.bad[1].reason == "map type 99 does not exist");
  CHECK(walk.bad[2].address == wrong_name);
  CHECK_FALSE(walk.complete());
}

TEST_CASE("a map whose operations are another type's is no map") {
  BpfGuest guest;
  const KernelVirt arrays = guest.memory().add_symbol("array_map_ops", 8);
  const KernelVirt tables = guest.memory().add_symbol("htab_map_ops", 8);
  const KernelVirt right = guest.add_map("bpf_map", {"right", map_type::kArray});
  const KernelVirt wrong = guest.add_map("bpf_map", {"wrong", map_type::kArray});
  guest.set(right, "bpf_map", "ops", arrays);
  guest.set(wrong, "bpf_map", "ops", tables);
  const auto walk = list_bpf_maps(guest.attach(), guest.layouts()).value();
  REQUIRE(walk.items.size() == 1);
  CHECK(walk.items[0].name == "right");
  REQUIRE(walk.bad.size() == 1);
  CHECK(walk.bad[0].reason == "its operations are not those of type ARRAY");
}

TEST_CASE("an entry in memory that can't be read is reported as such") {
  BpfGuest guest;
  guest.add_map("bpf_map", {"one", map_type::kArray});
  const auto head =
      guest.get<std::uint64_t>(guest.place(guest.memory().symbol("map_idr"), "idr", "idr_rt.xa_head"));
  guest.memory().write(guest.place(KernelVirt(head - 2), "xa_node", "slots") + 5 * 8, BpfGuest::kUnmapped);
  const auto walk = list_bpf_maps(guest.attach(), guest.layouts()).value();
  CHECK(walk.items.size() == 1);
  REQUIRE(walk.bad.size() == 1);
  CHECK(walk.bad[0].id == 5);
  CHECK(walk.bad[0].reason == "in memory that can't be read");
}

}  // namespace ktstr::introspect::test
