#include "introspect/arena/section_variables.h"

#include <bpf/btf.h>

#include <cstring>

namespace ktstr::introspect {

std::vector<SectionVariable> variables_of(const Btf& btf, BtfTypeId section, std::span<const std::byte> bytes,
                                          std::string_view struct_name) {
  std::vector<SectionVariable> result;
  for (const BtfVariable& variable : btf.variables(section)) {
    const BtfTypeId type = btf.strip(variable.type);
    const btf_type* entry = btf.type(type);
    if (entry == nullptr || !btf_is_struct(entry) || btf.name_at(entry->name_off) != struct_name) continue;
    if (variable.offset > bytes.size() || entry->size > bytes.size() - variable.offset) continue;
    result.push_back({std::string(variable.name), type, bytes.subspan(variable.offset, entry->size)});
  }
  return result;
}

std::optional<std::uint64_t> u64_member(const Btf& btf, const SectionVariable& variable,
                                        std::string_view path) {
  const auto member = btf.member(variable.type, path);
  if (!member || member->size_bytes != 8 || member->bit_offset % 8 != 0) return std::nullopt;
  const std::uint64_t offset = member->byte_offset();
  if (offset > variable.bytes.size() || variable.bytes.size() - offset < 8) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, variable.bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace ktstr::introspect
