// Locator: which line each key of a table literal stands on, read from the script's source.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lua/lexer.h"

namespace ktstr::lua {

/// The keys of one `{ ... }` in the source. Values that are table literals themselves have one of their own.
struct TableLiteral {
  struct Entry {
    std::string key;  ///< empty for list items and computed keys
    int line = 0;
    bool is_item = false;
    std::unique_ptr<TableLiteral> table;
  };
  std::vector<Entry> entries;

  /// The named entry, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view key) const;
  /// List item `index` (from 0), or nullptr.
  [[nodiscard]] const Entry* item(std::size_t index) const;
};

/// Reads table literals out of one Lua source. Anything it does not understand it leaves out; it never
/// guesses.
class Locator {
 public:
  explicit Locator(std::string_view source);

  /// The literal in a call `callee { ... }` or `callee({ ... })` whose arguments begin on `line`; nullptr
  /// unless there is just one such call.
  [[nodiscard]] std::unique_ptr<TableLiteral> called_at(std::string_view callee, int line) const;

  /// The literal in `return x.callee { ... }` and the line it begins on, when there is just one in the
  /// source.
  struct Returned {
    std::unique_ptr<TableLiteral> table;
    int line = 0;
  };
  [[nodiscard]] Returned returned(std::string_view callee) const;

 private:
  [[nodiscard]] bool is_returned(std::size_t callee) const;
  [[nodiscard]] std::size_t opening_brace(std::size_t callee) const;

  std::vector<Token> tokens_;
};

}  // namespace ktstr::lua
