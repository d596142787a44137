// Variables of a given structure among those of a program's section.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "introspect/btf.h"

namespace ktstr::introspect {

struct SectionVariable {
  std::string name;
  BtfTypeId type{};  ///< the struct itself
  std::span<const std::byte> bytes;
};

/// The variables of `section` that are a `struct struct_name` and lie wholly within `bytes`.
[[nodiscard]] std::vector<SectionVariable> variables_of(const Btf& btf, BtfTypeId section,
                                                        std::span<const std::byte> bytes,
                                                        std::string_view struct_name);

/// The 64-bit member of a struct variable; nullopt when there is no such member of 8 bytes.
[[nodiscard]] std::optional<std::uint64_t> u64_member(const Btf& btf, const SectionVariable& variable,
                                                      std::string_view path);

}  // namespace ktstr::introspect
