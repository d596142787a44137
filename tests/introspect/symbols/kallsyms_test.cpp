#include "introspect/symbols/kallsyms.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/introspect/symbols/kallsyms_encoder.h"

using namespace ktstr;
using namespace ktstr::test;
using introspect::decode_kallsyms;
using introspect::SymbolTable;

namespace {

constexpr std::uint64_t kText = 0xffffffff81000000;
constexpr std::uint64_t kTables = 0xffffffff82000000;

std::vector<KallsymsSymbol> some_symbols(std::size_t count) {
  std::vector<KallsymsSymbol> symbols = {{kText, "T_text"}, {kText, "T_stext"}};
  while (symbols.size() < count)
    symbols.push_back({kText + symbols.size() / 3 * 48,
                       fmt::format("Tdo_function_{}_sys_{}", symbols.size() % 7, symbols.size() / 2)});
  symbols.push_back({kTables + 0x100, "d" + std::string(300, 'q')});
  symbols.push_back({kTables + (64 << 20), "B_end"});  // beyond every segment
  return symbols;
}

Bytes kernel_with(const Bytes& tables) {
  return ElfBuilder().segment(kText, Bytes(256), 1 << 20).segment(kTables, tables).build();
}

Result<SymbolTable> decode(const Bytes& kernel) {
  const auto elf = ElfImage::open(kernel);
  REQUIRE(elf);
  return decode_kallsyms(*elf);
}

std::string differences(const SymbolTable& table, const std::vector<KallsymsSymbol>& expected) {
  if (table.size() != expected.size())
    return fmt::format("{} symbols, expected {}", table.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string name = table[i].type + std::string(table[i].name);
    if (name != expected[i].name || table[i].address.value() != expected[i].address)
      return fmt::format("symbol {}: {:x} {}, expected {:x} {}", i, table[i].address.value(), name,
                         expected[i].address, expected[i].name);
  }
  return "";
}

void check_layout(std::vector<KallsymsSymbol> symbols, const KallsymsLayout& layout) {
  CAPTURE(symbols.size());
  CAPTURE(static_cast<int>(layout.offsets));
  CAPTURE(layout.offsets_first);
  CAPTURE(layout.alignment);
  const auto table = decode(kernel_with(KallsymsEncoder(symbols, layout, kTables).encode()));
  REQUIRE_MESSAGE(table, table.error().message);
  CHECK(differences(*table, symbols) == "");
}

}  // namespace

TEST_CASE("every form of offsets and alignment in today's order is decoded") {
  for (const std::size_t count : {10, 250, 254, 255, 256, 510, 511, 2000})
    for (const auto form : {Offsets::kBaseRelative, Offsets::kAbsolutePercpu, Offsets::kPlaceRelative})
      for (const std::size_t alignment : {8, 4})
        check_layout(some_symbols(count), {form, false, alignment, 3});
}

TEST_CASE("the order before 6.4 is decoded, with and without the table of sequence numbers") {
  for (const auto form : {Offsets::kBaseRelative, Offsets::kAbsolutePercpu})
    for (const std::size_t bytes_per_seq : {0, 3, 4})
      for (const std::size_t count : {1000, 2000, 3001})
        check_layout(some_symbols(count), {form, true, 8, bytes_per_seq});
}

TEST_CASE("absolute per-CPU symbols keep their small addresses") {
  std::vector<KallsymsSymbol> symbols = {
      {0, "A__per_cpu_start"}, {0x1000, "Arunqueues"}, {0x2f000, "A__per_cpu_end"}};
  const auto others = some_symbols(700);
  symbols.insert(symbols.end(), others.begin(), others.end());
  check_layout(symbols, {Offsets::kAbsolutePercpu, false, 8, 3});
  check_layout(symbols, {Offsets::kAbsolutePercpu, true, 8, 3});
}

TEST_CASE("a kernel without kallsyms is told so") {
  const auto table = decode(kernel_with(bytes_of("no tables here 0123456789")));
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kNotFound);
  CHECK(table.error().message.find("CONFIG_KALLSYMS") != std::string::npos);
}

TEST_CASE("tables cut short at any byte are an error") {
  const Bytes whole =
      KallsymsEncoder(some_symbols(600), {Offsets::kPlaceRelative, false, 8, 0}, kTables).encode();
  for (std::size_t size = 0; size + 40 < whole.size(); size += 7) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(decode(kernel_with(cut)));
  }
}

TEST_CASE("tables with any byte changed give an error or a table that holds together") {
  const Bytes whole =
      KallsymsEncoder(some_symbols(400), {Offsets::kBaseRelative, false, 8, 3}, kTables).encode();
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0x55};
    const auto table = decode(kernel_with(changed));
    if (!table) continue;
    CHECK(table->size() == 402);
    CHECK(table->nearest(KernelVirt(~std::uint64_t{0})));
  }
}
