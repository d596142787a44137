#include "introspect/symbols/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>

#include "introspect/symbols/kallsyms_tables.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kMaxNameBytes = 2048;  // four times KSYM_NAME_LEN, include/linux/kallsyms.h
constexpr std::size_t kMaxAllNamesBytes = std::size_t{256} << 20;  // fifty times a distribution kernel's

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, "kallsyms: " + std::move(message)};
}

/// Appends the type letter and name that `tokens` stand for. False: empty, too long, or not printable ASCII.
bool expand(const KallsymsTables& tables, std::span<const std::byte> tokens, std::string& text) {
  text.clear();
  for (const std::byte token : tokens) {
    text += tables.tokens[std::to_integer<std::size_t>(token)];
    if (text.size() > kMaxNameBytes) return false;
  }
  const auto is_printable = [](char c) { return c > ' ' && c <= '~'; };
  return text.size() >= 2 && std::all_of(text.begin(), text.end(), is_printable);
}

}  // namespace

Result<SymbolTable> decode_kallsyms(const ElfImage& kernel) {
  const KallsymsTables tables = KTSTR_TRY(find_kallsyms(kernel));
  SymbolColumns columns;
  const std::size_t count = tables.addresses.size();
  columns.addresses.reserve(count);
  columns.name_ends.reserve(count);
  columns.types.reserve(count);
  columns.names.reserve(count * 32);
  std::string text;
  auto rest = tables.names;
  for (std::size_t i = 0; i < count; ++i) {
    const KallsymsLength length = kallsyms_length(rest);
    if (length.bytes == 0 || length.tokens > rest.size() - length.bytes)
      return corrupt(fmt::format("the name of symbol {} of {} reaches beyond the names", i, count));
    if (!expand(tables, rest.subspan(length.bytes, length.tokens), text))
      return corrupt(fmt::format("symbol {} of {} has no proper name", i, count));
    if (columns.names.size() + text.size() > kMaxAllNamesBytes) return corrupt("names without end");
    columns.add(KernelVirt(tables.addresses[i]), text[0], std::string_view(text).substr(1));
    rest = rest.subspan(length.bytes + length.tokens);
  }
  return SymbolTable::build(columns);
}

}  // namespace ktstr::introspect
