#include "lua/locator.h"

#include <doctest/doctest.h>

#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

/// "a:2 b:3 [1]:4": the entries of a literal with their lines; nested ones in brackets.
std::string entries(const TableLiteral* table) {
  if (!table) return "none";
  std::string text;
  for (const auto& entry : table->entries()) {
    text += text.empty() ? "" : " ";
    text += entry.is_item ? "item" : entry.key.empty() ? "computed" : entry.key;
    text += ":" + std::to_string(entry.line);
    if (entry.table) text += "(" + entries(entry.table.get()) + ")";
  }
  return text;
}

std::string returned(const std::string& source) {
  return entries(Locator(source).returned("scenario").table);
}

}  // namespace

TEST_CASE("keys have the lines they stand on") {
  CHECK(returned("return k.scenario {\n a = 1,\n ['b c'] = 2;\n d =\n 3,\n}") == "a:2 b c:3 d:4");
  CHECK(returned("return k.scenario({ a = 1 })") == "a:1");
  CHECK(returned("return k.scenario {}") == "");
}

TEST_CASE("nested tables are followed, everything else is passed over") {
  CHECK(returned("return k.scenario { a = { b = {\n c = 1 } }, d = f { e = 1 }, g = { h = 1 }.h, i = 2 }") ==
        "a:1(b:1(c:2)) d:2 g:2 i:2");
}

TEST_CASE("commas inside calls, functions and blocks do not end a value") {
  CHECK(returned("return k.scenario { a = f(1, 2), b = function(x, y)\n if x then for _ in y do local z, w = "
                 "1, 2 end end\n"
                 " repeat local q, r = 1 until q end,\n c = 3 }") == "a:1 b:1 c:4");
}

TEST_CASE("comments and strings hide what is in them") {
  CHECK(returned("--[==[ return k.scenario { no = 1 } ]] ]==]\nreturn k.scenario {\n-- { a = 1,\n b = '}, c "
                 "= 1', d = [[\n"
                 "}, e = 1\n]],\n f = \"\\\"}\" }") == "b:4 d:4 f:7");
}

TEST_CASE("list items, computed keys and comparisons are told apart") {
  CHECK(returned("return k.scenario { x, [y] = 1, a == b, c = d == e, {\n f = 1 } }") ==
        "item:1 computed:1 item:1 c:1 item:1(f:2)");
}

TEST_CASE("a call is found by its line, unless there are several") {
  const Locator one("local s = k.step {\n hold = 1 }\nlocal t = k.step { x = 1 }");
  CHECK(entries(one.called_at("step", 1)) == "hold:2");
  CHECK(entries(one.called_at("step", 3)) == "x:3");
  CHECK(entries(one.called_at("step", 2)) == "none");
  CHECK(entries(Locator("f(k.step { a = 1 }, k.step { b = 1 })").called_at("step", 1)) == "none");
}

TEST_CASE("what does not end is not guessed") {
  CHECK(returned("return k.scenario { a = { b = 1") == "none");
  CHECK(returned("return k.scenario { a = 'b") == "none");
  CHECK(returned("return k.scenario " + std::string(100'000, '{')) == "none");
  CHECK(returned("return k.scenario { a = [==[ b") == "none");
}

TEST_CASE("two returned scenarios are ambiguous") {
  CHECK(returned("if x then return k.scenario { a = 1 } end return k.scenario { b = 1 }") == "none");
}

}  // namespace ktstr::lua

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
