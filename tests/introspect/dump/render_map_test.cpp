#include "introspect/dump/render_map.h"

#include <doctest/doctest.h>

#include "introspect/bpf/map_list.h"
#include "tests/introspect/bpf/bpf_guest.h"
#include "tests/introspect/fake_btf.h"

namespace ktstr::introspect::test {
namespace {

/// A guest with one array of three u64, typed.
struct ArrayGuest : BpfGuest {
  ArrayGuest() {
    FakeBtf types;
    const int u64 = types.integer("u64", 8);
    map = add_array({"array", map_type::kArray, 4, 8, 3}, {11, 12, 13});
    set(map, "bpf_map", "btf", add_btf(types.bytes()));
    set(map, "bpf_map", "btf_value_type_id", static_cast<std::uint32_t>(u64));
  }

  FailureDumpMap render(std::size_t& nodes_left) {
    const Kernel kernel = attach();
    const BpfLayouts known = layouts();
    ProgramBtfCache btfs(kernel, known);
    const auto header = info(map);
    return render_map({.context = RenderContext(), .nodes_left = nodes_left, .payload = {}},
                      {.info = header,
                       .types = btfs.types_of(header),
                       .contents = read_map_contents(kernel, known, header, {})});
  }

  KernelVirt map;
};

}  // namespace

TEST_CASE("a map's values are shown by their type, and take their nodes from the dump's") {
  ArrayGuest guest;
  std::size_t nodes_left = 10;
  const auto map = guest.render(nodes_left);
  REQUIRE(map.array_entries.size() == 3);
  CHECK(map.array_entries[2].value == RenderedValue{RenderedUint{64, 13}});
  CHECK_FALSE(map.error.has_value());
  CHECK(nodes_left == 7);
}

TEST_CASE("when a dump's nodes are used up the values that are left are shown as bytes, with the reason") {
  ArrayGuest guest;
  std::size_t nodes_left = 2;
  const auto map = guest.render(nodes_left);
  REQUIRE(map.array_entries.size() == 3);
  CHECK(map.array_entries[1].value == RenderedValue{RenderedUint{64, 12}});
  CHECK(map.array_entries[2].value == RenderedValue{RenderedBytes{"0d 00 00 00 00 00 00 00"}});
  CHECK(map.error == "values beyond what one dump renders are shown as bytes");
}

TEST_CASE("a type of another size than the map's values is not shown, with the reason") {
  ArrayGuest guest;
  guest.set(guest.map, "bpf_map", "value_size", std::uint32_t{4});
  std::size_t nodes_left = 10;
  const auto map = guest.render(nodes_left);
  CHECK(map.array_entries.at(0).value == RenderedValue{RenderedBytes{"0b 00 00 00"}});
  CHECK(map.error == "type 1 has another size than the values of the map");
}

}  // namespace ktstr::introspect::test
