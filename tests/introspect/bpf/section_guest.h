// SectionGuest: a guest with the map of a global section, and the section's types.
#pragma once

#include <bpf/btf.h>

#include <string>
#include <tuple>
#include <vector>

#include "introspect/bpf/map_list.h"
#include "introspect/span_memory.h"
#include "tests/introspect/bpf/bpf_guest.h"
#include "tests/introspect/fake_btf.h"

namespace ktstr::introspect::test {

/// A .data section: u32 limit at 0; s8 delta at 4; bool on at 5; char name[8] at 8; double rate at 16;
/// struct { u32 low:4, high:4; s32 sign:1, two:2; u32 slots[3]; } tuning[2] at 24; char label[16] at 56;
/// float share at 72.
struct SectionGuest : BpfGuest {
  static constexpr std::uint32_t kBytes = 80;

  std::uint32_t section_id = 0;
  std::vector<std::byte> table = make_table();
  Btf types = Btf::parse(table).value();
  KernelVirt map = add_section("ktstr.data");

  /// One more map of the section.
  KernelVirt add_section(const std::string& name) {
    const KernelVirt made = add_array({name, map_type::kArray, 4, kBytes, 1}, {});
    set(made, "bpf_map", "btf_value_type_id", section_id);
    set(made, "bpf_map", "btf", add_btf(table));
    return made;
  }
  /// What the section's map holds at an offset.
  template <class T>
  T at(std::uint64_t offset) {
    return get<T>(place(map, "bpf_array", "value") + offset);
  }
  /// All of the guest's memory.
  std::span<std::byte> ram() { return {memory().at(KernelVirt(0xffff'8880'0000'0000)), 16U << 20}; }

 private:
  std::vector<std::byte> make_table() {
    FakeBtf btf;
    const int u32 = btf.integer("unsigned int", 4);
    const int s32 = btf__add_int(btf.handle(), "int", 4, BTF_INT_SIGNED);
    const int s8 = btf__add_int(btf.handle(), "signed char", 1, BTF_INT_SIGNED);
    const int flag = btf__add_int(btf.handle(), "_Bool", 1, BTF_INT_BOOL);
    const int character = btf.integer("char", 1);
    const int real = btf__add_float(btf.handle(), "double", 8);
    const int small = btf__add_float(btf.handle(), "float", 4);
    const int tuning = btf.structure("tuning", 16,
                                     {{"low", u32, 0, 4},
                                      {"high", u32, 4, 4},
                                      {"sign", s32, 8, 1},
                                      {"two", s32, 9, 2},
                                      {"slots", btf.array(u32, 3), 32}});
    const std::vector<std::tuple<const char*, int, std::uint32_t, std::uint32_t>> variables = {
        {"limit", u32, 0, 4},
        {"delta", s8, 4, 1},
        {"on", flag, 5, 1},
        {"name", btf.array(character, 8), 8, 8},
        {"rate", real, 16, 8},
        {"tuning", btf.array(tuning, 2), 24, 32},
        {"label", btf.array(character, 16), 56, 16},
        {"share", small, 72, 4}};
    std::vector<int> ids;
    for (const auto& [name, type, offset, size] : variables)
      ids.push_back(btf__add_var(btf.handle(), name, BTF_VAR_GLOBAL_ALLOCATED, type));
    section_id = static_cast<std::uint32_t>(btf__add_datasec(btf.handle(), ".data", kBytes));
    for (std::size_t i = 0; i < ids.size(); ++i)
      btf__add_datasec_var_info(btf.handle(), ids[i], std::get<2>(variables[i]), std::get<3>(variables[i]));
    return btf.bytes();
  }
};

}  // namespace ktstr::introspect::test
