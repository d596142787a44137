// Keys that stand twice in one table literal, which Lua takes without a word.
#pragma once

#include <string>
#include <vector>

#include "lua/lexer.h"

namespace ktstr::lua {

struct DuplicateKey {
  std::string key;
  int first_line = 0;
  int line = 0;
};

/// In the order of the source, at most 20. The tokens must be those of a source that compiles.
[[nodiscard]] std::vector<DuplicateKey> duplicate_keys(const std::vector<Token>& tokens);

}  // namespace ktstr::lua
