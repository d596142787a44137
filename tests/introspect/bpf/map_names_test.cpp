#include "introspect/bpf/map_names.h"

#include <doctest/doctest.h>

#include <string>

namespace ktstr::introspect::test {
namespace {

/// Maps with these names and the ids and addresses 1, 2, 3 ...
std::vector<BpfMapInfo> maps_called(const std::vector<std::string>& names) {
  std::vector<BpfMapInfo> maps;
  for (const auto& name : names) {
    auto& map = maps.emplace_back();
    map.name = name;
    map.id = static_cast<std::uint32_t>(maps.size());
    map.address = KernelVirt(maps.size());
  }
  return maps;
}

/// The ids that `name` stands for, or the error.
std::string found(const std::vector<BpfMapInfo>& maps, std::string_view name) {
  const auto result = find_maps_by_name(maps, name);
  if (!result) return result.error().message;
  std::string ids;
  for (const auto& map : *result) ids += std::to_string(map.id) + " ";
  return ids;
}

}  // namespace

TEST_CASE("a map is found by the kernel's name, every one of that name") {
  const auto maps = maps_called({"ktstr.bss", "ktstr.data", "ktstr.bss"});
  CHECK(found(maps, "ktstr.data") == "2 ");
  CHECK(found(maps, "ktstr.bss") == "1 3 ");
}

TEST_CASE("a longer name is cut as libbpf and the kernel cut it") {
  const auto maps = maps_called({"scx_laye.bss", "scx_laye.rodata", "a_name_of_fifte", "scx_layered.bs"});
  CHECK(found(maps, "scx_layered.bss") == "1 ");
  CHECK(found(maps, "scx_layered.rodata") == "2 ");
  CHECK(found(maps, "a_name_of_fifteen_and_more") == "3 ");
  CHECK(found(maps, "scx_lay.bss").starts_with("there is no BPF map called scx_lay.bss"));
}

TEST_CASE("what the kernel calls so wins over what is cut to it") {
  const auto maps = maps_called({"a_name_of_fifte", "a_name_of_fifteen"});
  CHECK(found(maps, "a_name_of_fifteen") == "2 ");
}

TEST_CASE("where there is none, the nearest name or the global sections are named") {
  const auto maps = maps_called({"ktstr.bss", "ktstr.data", "hash", ""});
  CHECK(found(maps, "ktsrt.bss") == "there is no BPF map called ktsrt.bss (did you mean \"ktstr.bss\"?)");
  CHECK(found(maps, "something") == "there is no BPF map called something (known: ktstr.bss, ktstr.data)");
  CHECK(found(maps, "") == "there is no BPF map called  (known: ktstr.bss, ktstr.data)");
  CHECK(found({}, "ktstr.bss") == "there is no BPF map called ktstr.bss");
}

TEST_CASE("of several the one that the object uses is chosen, and never another") {
  const auto maps = maps_called({"ktstr.bss", "ktstr.bss", "ktstr.bss"});
  CHECK(choose_map(maps, ActiveObject{"ktstr", {KernelVirt(2), KernelVirt(9)}})->id == 2);
  for (const auto& object :
       {std::optional<ActiveObject>(), std::optional(ActiveObject{"ktstr", {KernelVirt(9)}}),
        std::optional(ActiveObject{"ktstr", {KernelVirt(1), KernelVirt(2)}})}) {
    const auto chosen = choose_map(maps, object);
    REQUIRE_FALSE(chosen.has_value());
    CHECK(chosen.error().message ==
          "ktstr.bss is ambiguous: the maps 1, 2, 3 are called so, and the running scheduler does not tell "
          "which");
  }
}

}  // namespace ktstr::introspect::test
