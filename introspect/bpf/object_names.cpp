#include "introspect/bpf/object_names.h"

#include <algorithm>

namespace ktstr::introspect {
namespace {

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

}  // namespace

std::optional<std::string> bpf_object_name(const BpfName& bytes) {
  const auto end = std::ranges::find(bytes, '\0');
  if (!std::all_of(bytes.begin(), end, allowed)) return std::nullopt;
  return std::string(bytes.begin(), end);
}

EnumNames::EnumNames(const Btf& btf, std::string_view enumeration, std::string_view prefix) {
  for (const BtfEnumerator& enumerator : btf.enumerators(enumeration)) {
    if (!enumerator.name.starts_with(prefix)) continue;
    const std::string name(enumerator.name.substr(prefix.size()));
    const auto [place, is_new] = names_.try_emplace(enumerator.value, name);
    if (!is_new && name.size() < place->second.size()) place->second = name;
  }
}

std::optional<std::string> EnumNames::find(std::int64_t value) const {
  const auto found = names_.find(value);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

std::string EnumNames::name(std::int64_t value) const {
  return find(value).value_or(std::to_string(value));
}

}  // namespace ktstr::introspect
