// Btf::parse() on any bytes, and every query on what comes out of it.
#include <algorithm>
#include <string>

#include "introspect/btf.h"
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

void query(const Btf& btf) {
  for (std::uint32_t id = 0; id < std::min(btf.type_count() + 1, kMaxTypes); ++id) {
    const BtfTypeId type{id};
    static_cast<void>(btf.size_of(type));
    static_cast<void>(btf.pointee(type));
    static_cast<void>(btf.array(type));
    query_members(btf, type);
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
