#include "lua/locator.h"

#include <doctest/doctest.h>

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
