// FlagNames: the names of a word's bits, from the kernel's own enums.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "introspect/btf.h"

namespace ktstr::introspect {

/// The single-bit enumerators of one enum. Copyable, independent of the Btf.
class FlagNames {
 public:
  FlagNames() = default;
  /// `prefix` is stripped from the names. `mask`: bits outside it are no flags (fields that share the word).
  FlagNames(const Btf& btf, std::string_view enumeration, std::string_view prefix,
            std::uint32_t mask = ~std::uint32_t{0});

  /// The set bits' names, lowest first; bits without a name together as one "0x...".
  [[nodiscard]] std::vector<std::string> names_of(std::uint32_t flags) const;

 private:
  std::vector<std::pair<std::uint32_t, std::string>> names_;
  std::uint32_t mask_ = ~std::uint32_t{0};
};

/// The name of `value` in `enumerators`, or nullopt.
[[nodiscard]] std::optional<std::string> name_of(const std::vector<BtfEnumerator>& enumerators,
                                                 std::int64_t value, std::string_view prefix = {});

}  // namespace ktstr::introspect
