// SymbolTable: a kernel's symbols by name and by address, in memory or mapped from an index file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/mapped_file.h"
#include "engine/base/result.h"

namespace ktstr::introspect {

/// One symbol. `type` is nm's letter; kallsyms gives t/T to data too, so it tells nothing about what lies
/// there.
struct Symbol {
  KernelVirt address;  ///< link-time address, without the KASLR slide
  char type = 0;
  std::string_view name;
};

/// Symbols on their way into a table: parallel columns, ascending by address.
struct SymbolColumns {
  std::vector<std::uint64_t> addresses;
  std::vector<std::uint32_t>
      name_ends;  ///< where each name ends in `names`; it begins where the one before ends
  std::string types;
  std::string names;

  void add(KernelVirt address, char type, std::string_view name);
};

/// Immutable; safe to read from several threads. Names are views into the table: it must outlive them (moving
/// it does no harm).
class SymbolTable {
 public:
  struct Nearest {
    Symbol symbol;
    std::uint64_t offset_bytes = 0;
  };

  /// Preconditions: the columns are of one length, ascending by address, and hold less than 4 GiB.
  [[nodiscard]] static SymbolTable build(const SymbolColumns& columns);
  /// Maps an index file (docs/formats/symbols.md). Errors (kCorrupt) say which part of the file is damaged.
  [[nodiscard]] static Result<SymbolTable> load(const std::filesystem::path& path);
  /// Writes the index file: it is on disk, and readers see the old one or this one, never a part
  /// (write_new_file()).
  [[nodiscard]] Status save(const std::filesystem::path& path) const;

  SymbolTable() = default;

  [[nodiscard]] std::size_t size() const { return addresses_.size(); }
  /// The i-th symbol by address; equal addresses keep the kernel's order. Precondition: i < size().
  [[nodiscard]] Symbol operator[](std::size_t i) const;

  /// The address of the symbol called `name`; of several, the lowest. Exact match, any type.
  [[nodiscard]] std::optional<KernelVirt> address(std::string_view name) const;
  /// Every symbol called `name` (static functions share names), ascending by address.
  [[nodiscard]] std::vector<Symbol> all(std::string_view name) const;
  /// The last symbol at or below `address` (of aliases the first, as the kernel prints it); nullopt below the
  /// first symbol.
  [[nodiscard]] std::optional<Nearest> nearest(KernelVirt address) const;

 private:
  /// One entry of the name index: ascending by hash, then by symbol.
  struct NameEntry {
    std::uint32_t hash = 0;
    std::uint32_t symbol = 0;
    friend auto operator<=>(const NameEntry&, const NameEntry&) = default;
  };

  [[nodiscard]] Status attach(std::span<const std::byte> file);
  [[nodiscard]] Status check() const;
  [[nodiscard]] std::string_view name(std::size_t i) const;
  [[nodiscard]] std::span<const NameEntry> with_hash(std::uint32_t hash) const;

  // The file's image: in one of these two, viewed by the spans below.
  std::vector<std::byte> built_;
  MappedFile mapped_;
  std::span<const std::uint64_t> addresses_;
  std::span<const NameEntry> by_name_;
  std::span<const std::uint32_t> name_ends_;
  std::string_view types_;
  std::string_view names_;
};

}  // namespace ktstr::introspect
