// kallsyms: the symbol table that a kernel carries for itself. Its tables have no names in the image; their
// structure finds them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/elf_image.h"
#include "engine/base/result.h"
#include "introspect/symbols/symbol_table.h"

namespace ktstr::introspect {

/// The tables of scripts/kallsyms.c, found in one segment and checked against each other.
struct KallsymsTables {
  std::array<std::string_view, 256> tokens;  ///< what each byte of a compressed name stands for
  std::span<const std::byte> names;  ///< per symbol: length (one or two bytes), then that many token numbers
  std::vector<std::uint64_t> addresses;  ///< one per symbol, ascending
};

/// Errors as decode_kallsyms().
[[nodiscard]] Result<KallsymsTables> find_kallsyms(const ElfImage& kernel);

/// One compressed name: how many token numbers, and how many bytes their count takes. bytes == 0: not
/// well-formed.
struct KallsymsLength {
  std::uint32_t tokens = 0;
  std::uint32_t bytes = 0;
};

/// Reads a name's length from its first bytes: ULEB128 of at most two bytes (since Linux 6.1; one byte below
/// 128 before).
[[nodiscard]] inline KallsymsLength kallsyms_length(std::span<const std::byte> entry) {
  if (entry.empty()) return {};
  const auto first = std::to_integer<std::uint32_t>(entry[0]);
  if (first < 0x80) return {first, 1};
  if (entry.size() < 2) return {};
  return {(first & 0x7f) | std::to_integer<std::uint32_t>(entry[1]) << 7, 2};
}

/// Finds and decodes the kallsyms tables of a kernel's ELF (scripts/kallsyms.c); needs neither a symbol table
/// nor the running kernel. Every symbol comes out, of any type, at its link-time address. Errors: kNotFound,
/// no tables (CONFIG_KALLSYMS is off); kCorrupt, tables that contradict themselves. Bounded in time and
/// memory for any input.
[[nodiscard]] Result<SymbolTable> decode_kallsyms(const ElfImage& kernel);

}  // namespace ktstr::introspect
