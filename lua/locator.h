// Locator: which line each key of a table literal stands on, read from the script's source.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lua/lexer.h"

namespace ktstr::lua {

/// The keys of one `{ ... }` in the source. Values that are table literals themselves have one of their own.
class TableLiteral {
 public:
  struct Entry {
    std::string key;  ///< empty for list items and computed keys
    int line = 0;
    bool is_item = false;
    std::unique_ptr<TableLiteral> table;
  };

  void add(Entry entry);
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// The named entry, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const;
  /// List item `index` (from 0), or nullptr.
  [[nodiscard]] const Entry* item(std::size_t index) const;

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> names_;
  std::vector<std::size_t> items_;
};

/// Reads table literals out of one Lua source, each once. Anything it does not understand it leaves out; it
/// never guesses. Literals live as long as the locator, and the source must too.
class Locator {
 public:
  explicit Locator(std::string_view source);

  /// The literal in a call `callee { ... }` or `callee({ ... })` whose arguments begin on `line`; nullptr
  /// unless there is just one such call.
  [[nodiscard]] const TableLiteral* called_at(std::string_view callee, int line) const;

  /// The literal in `return x.callee { ... }` and the line it begins on, when there is just one in the
  /// source.
  struct Returned {
    const TableLiteral* table = nullptr;
    int line = 0;
  };
  [[nodiscard]] Returned returned(std::string_view callee) const;

  [[nodiscard]] const std::vector<Token>& tokens() const { return tokens_; }

 private:
  [[nodiscard]] Returned find_returned(std::string_view callee) const;
  [[nodiscard]] const std::vector<std::size_t>& places_of(std::string_view name) const;
  [[nodiscard]] bool is_returned(std::size_t callee) const;
  [[nodiscard]] std::size_t opening_brace(std::size_t callee) const;
  [[nodiscard]] const TableLiteral* literal_at(std::size_t brace) const;

  std::vector<Token> tokens_;
  std::unordered_map<std::string_view, std::vector<std::size_t>>
      names_;  ///< where each name stands, in order
  mutable std::unordered_map<std::size_t, std::unique_ptr<TableLiteral>> literals_;  ///< by their brace
  mutable std::unordered_map<std::string_view, Returned> returned_;
};

/// A key that stands twice in one table literal, which Lua takes without a word.
struct DuplicateKey {
  std::string key;
  int first_line = 0;
  int line = 0;
};

/// In the order of the source, at most 20. The tokens must be those of a source that compiles.
[[nodiscard]] std::vector<DuplicateKey> duplicate_keys(const std::vector<Token>& tokens);

}  // namespace ktstr::lua
