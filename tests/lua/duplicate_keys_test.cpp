#include "lua/duplicate_keys.h"

#include <doctest/doctest.h>

#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

/// "a:1:2 b:3:3": each key with its first and its other line.
std::string duplicates(const std::string& source) {
  std::string text;
  const auto tokens = tokenize(source);
  for (const auto& [key, first, line] : duplicate_keys(tokens))
    text += (text.empty() ? "" : " ") + key + ":" + std::to_string(first) + ":" + std::to_string(line);
  return text;
}

}  // namespace

TEST_CASE("a key that stands twice in one table is found with both lines") {
  CHECK(duplicates("return { a = 1,\n b = 2,\n a = 3 }") == "a:1:3");
  CHECK(duplicates("f { ['a'] = 1; a = 2, [1] = 1, [1] = 2 }") == "a:1:1 [1]:1:1");
  CHECK(duplicates("x = { a = { b = 1, b = 2 }, c = 1, a = 2 }") == "b:1:1 a:1:1");
  CHECK(duplicates("x = { f = function() local a, b = 1 return { c = 1, c = 2 } end, f = 1 }") ==
        "c:1:1 f:1:1");
}

TEST_CASE("other equal names are none") {
  CHECK(duplicates("x = { a = { b = 1 }, b = { b = 1 } } y = { a = 1 }") == "");
  CHECK(duplicates("x = { a == 1, a == 2, [a] = 1, [a] = 2, a, a }") == "");
  CHECK(duplicates(
            "x = { f = function() local a, b = 1, 2; for i = 1, 2 do a, b = b, a end a = 1 end, a = 1 }") ==
        "");
  CHECK(duplicates("x = { g(a, b), a = h { a = 1 }, b = (function() if a then b = 1 end end)() }") == "");
  CHECK(duplicates("x = { [1] = 1, ['1'] = 1 }") == "");
}

TEST_CASE("scripts and modules with such keys are refused with all of them") {
  const Bundle bundle;
  CHECK(bundle.outcome("local t = {\n a = 1, a = 2,\n b = 1,\n b = 1 }") ==
        "foo.lua:2: \"a\" is set twice in this table (first on line 2)\n"
        "foo.lua:4: \"b\" is set twice in this table (first on line 3)");
  bundle.write("lib.lua", "return { a = 1, a = 2 }");
  CHECK(bundle.outcome("require 'lib'") == "lib.lua:1: \"a\" is set twice in this table (first on line 1)");
}

}  // namespace ktstr::lua
