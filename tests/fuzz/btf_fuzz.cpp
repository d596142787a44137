// Btf::parse() on any bytes, and every query on what comes out of it.
#include <algorithm>
#include <string>

#include "introspect/bpf/map_list.h"
#include "introspect/bpf/write_map.h"
#include "introspect/btf.h"
#include "introspect/sched/events.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ktstr;
using introspect::Btf;
using introspect::BtfTypeId;

namespace {

constexpr std::uint32_t kMaxTypes = 512;
constexpr std::size_t kMaxMembers = 64;

void query_members(const Btf& btf, BtfTypeId type) {
  const auto members = btf.members(type);
  for (std::size_t i = 0; i < std::min(members.size(), kMaxMembers); ++i) {
    const std::string name(members[i].name);
    static_cast<void>(btf.member(type, name));
    static_cast<void>(btf.member(type, name + "[1]"));
    static_cast<void>(btf.member(type, name + "." + name));
  }
}

/// As a kernel's table: the event counters out of as many bytes as it says.
void read_events(const Btf& btf) {
  const auto layout = introspect::EventLayout::resolve(btf);
  if (layout) static_cast<void>(layout->counters(std::vector<std::byte>(layout->size())));
}

/// As a program's: the variables of its sections, and values for them.
void encode_globals(const Btf& btf, BtfTypeId section) {
  introspect::BpfMapInfo map;
  map.type = introspect::map_type::kArray;
  map.max_entries = 1;
  map.value_size = ~0U;
  map.btf_value_type_id = static_cast<std::uint32_t>(section);
  const auto variables = btf.variables(section);
  for (std::size_t i = 0; i < std::min(variables.size(), kMaxMembers); ++i) {
    const std::string name(variables[i].name);
    for (const auto& path : {name, name + "[1]", name + "." + name}) {
      const auto place = introspect::find_global(map, btf, path);
      if (!place) continue;
      for (const introspect::ScalarValue& value :
           {introspect::ScalarValue(std::int64_t{-1}), introspect::ScalarValue(1e300),
            introspect::ScalarValue(~std::uint64_t{0}), introspect::ScalarValue(std::string("text"))}) {
        if (place->bit_width != 0)
          static_cast<void>(introspect::encode_bits(btf, *place, value));
        else
          static_cast<void>(introspect::encode_scalar(btf, place->type, value));
      }
    }
  }
}

void query(const Btf& btf) {
  read_events(btf);
  for (std::uint32_t id = 0; id < std::min(btf.type_count() + 1, kMaxTypes); ++id) {
    const BtfTypeId type{id};
    static_cast<void>(btf.size_of(type));
    static_cast<void>(btf.pointee(type));
    static_cast<void>(btf.array(type));
    query_members(btf, type);
    encode_globals(btf, type);
  }
  for (const auto* name : {"task_struct", "s", "a", ""}) {
    static_cast<void>(btf.find_struct(name));
    static_cast<void>(btf.enumerators(name));
    static_cast<void>(btf.enumerator(name));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto btf = Btf::parse(std::as_bytes(std::span(data, size)));
  if (btf) query(*btf);
  return 0;
}
