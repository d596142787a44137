#include "introspect/scx/flag_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace ktstr::introspect {
namespace {

/// Enums of flags also hold where the fields between the flags lie: SCX_TASK_STATE_SHIFT is no flag.
bool describes_a_field(std::string_view name) {
  return name.ends_with("_SHIFT") || name.ends_with("_BITS") || name.ends_with("_MASK");
}

}  // namespace

FlagNames::FlagNames(const Btf& btf, std::string_view enumeration, std::string_view prefix,
                     std::uint32_t mask)
    : mask_(mask) {
  for (const auto& [name, value] : btf.enumerators(enumeration)) {
    const auto bit = static_cast<std::uint32_t>(value);
    if (!std::has_single_bit(bit) || (bit & ~mask) != 0 || describes_a_field(name)) continue;
    names_.emplace_back(bit, name.starts_with(prefix) ? name.substr(prefix.size()) : name);
  }
  std::ranges::sort(names_);
}

std::vector<std::string> FlagNames::names_of(std::uint32_t flags) const {
  std::vector<std::string> names;
  std::uint32_t rest = flags & mask_;
  for (const auto& [bit, name] : names_) {
    if ((rest & bit) == 0) continue;
    names.push_back(name);
    rest &= ~bit;
  }
  if (rest != 0) names.push_back(fmt::format("{:#x}", rest));
  return names;
}

std::optional<std::string> name_of(const std::vector<BtfEnumerator>& enumerators, std::int64_t value,
                                   std::string_view prefix) {
  const auto found = std::ranges::find(enumerators, value, &BtfEnumerator::value);
  if (found == enumerators.end()) return std::nullopt;
  const auto name = found->name;
  return std::string(name.starts_with(prefix) ? name.substr(prefix.size()) : name);
}

}  // namespace ktstr::introspect
