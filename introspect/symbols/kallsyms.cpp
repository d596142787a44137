#include "introspect/symbols/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxNameBytes = 2048;  // four times KSYM_NAME_LEN, include/linux/kallsyms.h
constexpr std::size_t kMaxAllNamesBytes = std::size_t{256} << 20;  // fifty times a distribution kernel's

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, "kallsyms: " + std::move(message)};
}

/// Appends the symbols' names to columns, expanding tokens.
class NameExpander {
 public:
  NameExpander(const KallsymsTables& tables, SymbolColumns& columns) : tables_(tables), columns_(columns) {
    const auto is_printable = [](char c) { return c > ' ' && c <= '~'; };
    for (std::size_t i = 0; i < usable_.size(); ++i)
      usable_[i] = !tables.tokens[i].empty() &&
                   std::all_of(tables.tokens[i].begin(), tables.tokens[i].end(), is_printable);
  }

  /// The type letter comes before the name. False: no name, one that is too long, or one that is not
  /// printable ASCII.
  bool add(std::uint64_t address, std::span<const std::byte> tokens) {
    std::string& names = columns_.names;
    const std::size_t begin = names.size();
    for (const std::byte token : tokens) {
      const auto number = std::to_integer<std::size_t>(token);
      names += tables_.tokens[number];
      if (!usable_[number] || names.size() - begin > kMaxNameBytes) return false;
    }
    if (names.size() - begin < 2) return false;
    const char type = names[begin];
    names.erase(begin, 1);
    columns_.addresses.push_back(address);
    columns_.types += type;
    columns_.name_ends.push_back(static_cast<std::uint32_t>(names.size()));
    return true;
  }

 private:
  const KallsymsTables& tables_;
  SymbolColumns& columns_;
  std::array<bool, 256> usable_;
};

}  // namespace

Result<SymbolTable> decode_kallsyms(const ElfImage& kernel) {
  const KallsymsTables tables = KTSTR_TRY(find_kallsyms(kernel));
  SymbolColumns columns;
  const std::size_t count = tables.addresses.size();
  columns.addresses.reserve(count);
  columns.name_ends.reserve(count);
  columns.types.reserve(count);
  columns.names.reserve(count * 32);
  NameExpander expander(tables, columns);
  auto rest = tables.names;
  for (std::size_t i = 0; i < count; ++i) {
    const KallsymsLength length = kallsyms_length(rest);
    if (length.bytes == 0 || length.tokens > rest.size() - length.bytes)
      return corrupt(fmt::format("the name of symbol {} of {} reaches beyond the names", i, count));
    if (!expander.add(tables.addresses[i], rest.subspan(length.bytes, length.tokens)))
      return corrupt(fmt::format("symbol {} of {} has no proper name", i, count));
    if (columns.names.size() > kMaxAllNamesBytes) return corrupt("names without end");
    rest = rest.subspan(length.bytes + length.tokens);
  }
  return SymbolTable::build(columns);
}

}  // namespace ktstr::introspect
