// Tokens of Lua source, as far as finding table literals needs them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktstr::lua {

/// A name or keyword, a short string (unescaped only as far as plain text goes), or one punctuation
/// character. Numbers and long strings are kOther.
struct Token {
  enum class Kind { kName, kString, kSymbol, kOther };
  Kind kind;
  std::string_view text;  ///< into the source; a string's without its quotes
  int line;

  [[nodiscard]] bool is(char symbol) const { return kind == Kind::kSymbol && text[0] == symbol; }
  [[nodiscard]] bool is_name(std::string_view name) const { return kind == Kind::kName && text == name; }
};

/// All tokens of `source`, comments left out. Stops at what is not Lua. The source must outlive the tokens.
[[nodiscard]] std::vector<Token> tokenize(std::string_view source);

}  // namespace ktstr::lua
