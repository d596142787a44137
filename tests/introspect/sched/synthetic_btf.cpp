#include "tests/introspect/sched/synthetic_btf.h"

#include <bpf/btf.h>

#include <algorithm>

#include "engine/base/check.h"

namespace ktstr::introspect::test {
namespace {

std::uint64_t size_of(const btf* types, int type) {
  const auto size = btf__resolve_size(types, static_cast<__u32>(type));
  KTSTR_CHECK(size >= 0);
  return static_cast<std::uint64_t>(size);
}

}  // namespace

SyntheticBtf::SyntheticBtf() : btf_(btf__new_empty()) {
  KTSTR_CHECK(btf_ != nullptr);
  u8 = btf__add_int(btf_, "unsigned char", 1, 0);
  s32 = btf__add_int(btf_, "int", 4, BTF_INT_SIGNED);
  u32 = btf__add_int(btf_, "unsigned int", 4, 0);
  s64 = btf__add_int(btf_, "long long", 8, BTF_INT_SIGNED);
  u64 = btf__add_int(btf_, "unsigned long", 8, 0);
  pointer = btf__add_ptr(btf_, 0);
}

SyntheticBtf::~SyntheticBtf() {
  btf__free(btf_);
}

int SyntheticBtf::array(int element, std::uint32_t count) {
  return btf__add_array(btf_, static_cast<int>(u32), element, count);
}

int SyntheticBtf::add_struct(const std::string& name, const std::vector<Member>& members) {
  std::vector<std::uint64_t> offsets;
  std::uint64_t size = 0;
  std::uint64_t alignment = 1;
  for (const auto& member : members) {
    const auto own =
        static_cast<std::uint64_t>(std::max(1, btf__align_of(btf_, static_cast<__u32>(member.type))));
    alignment = std::max(alignment, own);
    offsets.push_back(align_up(size, own));
    size = offsets.back() + size_of(btf_, member.type);
  }
  const int type = btf__add_struct(btf_, name.c_str(), static_cast<__u32>(align_up(size, alignment)));
  KTSTR_CHECK(type > 0);
  for (std::size_t i = 0; i < members.size(); ++i)
    KTSTR_CHECK(btf__add_field(btf_, members[i].name.c_str(), members[i].type,
                               static_cast<__u32>(offsets[i] * 8), 0) == 0);
  return type;
}

void SyntheticBtf::add_enum(const std::string& name,
                            const std::vector<std::pair<std::string, std::int64_t>>& values) {
  KTSTR_CHECK(btf__add_enum(btf_, name.c_str(), 4) > 0);
  for (const auto& [value_name, value] : values)
    KTSTR_CHECK(btf__add_enum_value(btf_, value_name.c_str(), value) == 0);
}

std::vector<std::byte> SyntheticBtf::bytes() const {
  __u32 size = 0;
  const auto* data = static_cast<const std::byte*>(btf__raw_data(btf_, &size));
  KTSTR_CHECK(data != nullptr);
  return {data, data + size};
}

}  // namespace ktstr::introspect::test
