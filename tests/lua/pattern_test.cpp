// The sandbox's patterns do what LuaJIT's do.
#include "lua/pattern.h"

#include <doctest/doctest.h>

#include <lua.hpp>
#include <string>
#include <vector>

#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

/// LuaJIT's own library.
class Reference {
 public:
  Reference() : state_(luaL_newstate()) { luaL_openlibs(state_); }
  ~Reference() { lua_close(state_); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  /// "begin-end capture capture", "none" or "error".
  std::string find(const std::string& subject, const std::string& pattern) {
    lua_settop(state_, 0);
    lua_getglobal(state_, "string");
    lua_getfield(state_, -1, "find");
    lua_remove(state_, 1);
    lua_pushlstring(state_, subject.data(), subject.size());
    lua_pushlstring(state_, pattern.data(), pattern.size());
    if (lua_pcall(state_, 2, LUA_MULTRET, 0) != 0) return "error";
    if (lua_isnil(state_, 1)) return "none";
    std::string text = std::string(lua_tostring(state_, 1)) + "-" + lua_tostring(state_, 2);
    for (int i = 3; i <= lua_gettop(state_); ++i) text += std::string(" ") + lua_tostring(state_, i);
    return text;
  }

 private:
  lua_State* state_;
};

std::string find(const std::string& subject, const std::string& pattern) {
  const auto found = PatternMatcher(subject, pattern, [](std::uint64_t) { return true; }).find(0, true);
  if (!found) return "error";
  if (!*found) return "none";
  const auto& match = **found;
  std::string text = std::to_string(match.begin + 1) + "-" + std::to_string(match.end);
  for (std::size_t i = 0; i < match.capture_count; ++i) {
    const auto& capture = match.captures[i];
    text += " " + (capture.is_position ? std::to_string(capture.begin + 1)
                                       : subject.substr(capture.begin, capture.size));
  }
  return text;
}

}  // namespace

TEST_CASE("every pattern finds what LuaJIT finds") {
  Reference reference;
  const std::vector<std::string> subjects = {"",
                                             "a",
                                             "aaa",
                                             "abcabc",
                                             "hello world",
                                             "  x = 5, y=[6]  ",
                                             "THE (quick) fox",
                                             "f(a(b)c)d",
                                             "x]y^z-",
                                             "0x1F 12.5e3",
                                             "%d%%",
                                             "key = value # c",
                                             "\xff\x80z"};
  const std::vector<std::string> patterns = {"a",
                                             "^a",
                                             "a$",
                                             "^a*$",
                                             "a-",
                                             "a-$",
                                             "a+",
                                             "a?",
                                             "(a)(b)",
                                             "()a()",
                                             "(a*(b?)c)",
                                             "%w+",
                                             "%s*(%w+)%s*=%s*(%w+)",
                                             "[%w_]+",
                                             "[^%s]+",
                                             "[a-c]+",
                                             "[^a-c]",
                                             "[]]",
                                             "[^]]",
                                             "[]x]",
                                             "[a-]",
                                             "[-a]",
                                             "%b()",
                                             "%b[]",
                                             "%f[%w]%w+",
                                             "%f[%W]",
                                             "(.)%1",
                                             "(.-)%s",
                                             ".",
                                             ".-",
                                             ".*",
                                             ".-o",
                                             "(.*)o",
                                             "%d+%.?%d*",
                                             "%x+",
                                             "%%",
                                             "%%d",
                                             "[%]]",
                                             "%u+",
                                             "%l",
                                             "%p",
                                             "%c",
                                             "%g+",
                                             "%A",
                                             "%D+",
                                             "%S+$",
                                             "",
                                             "^",
                                             "$",
                                             "^$",
                                             "()",
                                             "(",
                                             "%",
                                             "[",
                                             "[a",
                                             "[^",
                                             "[%",
                                             "%b",
                                             "%bx",
                                             "%f",
                                             "%1",
                                             "(%1)",
                                             "((a)%2)",
                                             "a**",
                                             "a+?",
                                             "[a%-z]",
                                             "[%a-z]",
                                             "x*y",
                                             "^^a",
                                             "a^",
                                             "$a",
                                             "[z-a]",
                                             "(((a)))",
                                             "(a",
                                             "a.)",
                                             "[[]",
                                             "[a]]",
                                             "%z",
                                             "z$"};
  for (const auto& subject : subjects)
    for (const auto& pattern : patterns)
      CHECK_MESSAGE(find(subject, pattern) == reference.find(subject, pattern), subject << " ~ " << pattern);
}

TEST_CASE("steps that run out end a search") {
  std::uint64_t taken = 0;
  const std::string subject(100'000, 'a');
  const auto found = PatternMatcher(subject, ".-.-.-b", [&](std::uint64_t steps) {
                       return (taken += steps) < 100'000;
                     }).find(0, true);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == ErrorCode::kCancelled);
  CHECK(taken < 200'000);
}

TEST_CASE("the functions made of it do what Lua's do") {
  const Bundle bundle;
  CHECK(bundle.outcome(R"(
assert(('hello world'):gsub('o', '0') == 'hell0 w0rld')
assert(select(2, ('hello world'):gsub('o', '0')) == 2)
assert(('abc'):gsub('%w', '%0%0') == 'aabbcc' and ('abc'):gsub('', '-') == '-a-b-c-')
assert(('abc'):gsub('%w', '%%') == '%%%' and ('hello'):gsub('(l)(l)', '%2%1x') == 'hellxo')
assert(('hello'):gsub('l', {l = 'L'}) == 'heLLo' and ('hello'):gsub('(h)(e)', function(a, b) return b .. a end) == 'ehllo')
assert(('hello'):gsub('.', function(c) if c == 'l' then return nil end return c:upper() end) == 'HEllO')
assert(('aaa'):gsub('a', 'b', 2) == 'bba' and ('aaa'):gsub('^a', 'b') == 'baa' and ('x'):gsub('y', 'z') == 'x')
assert(('a1b2'):gsub('%d', function(d) return d + 1 end) == 'a2b3' and ('()'):gsub('()', '%1') == '1(2)3')
local words = {}
for w in ('one two  three'):gmatch('%a+') do words[#words + 1] = w end
assert(table.concat(words, ',') == 'one,two,three')
local pairs_ = {}
for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do pairs_[k] = v end
assert(pairs_.a == '1' and pairs_.b == '2')
local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end assert(n == 4)
assert(('abc'):find('b', 1, true) == 2 and ('a.c'):find('.', 1, true) == 2 and ('abc'):find('c', -1) == 3)
assert(('abc'):find('') == 1 and ('abc'):find('', 10) == 4 and ('abc'):find('x') == nil)
assert(('key = value'):match('(%w+)%s*=%s*(%w+)') == 'key' and ('abc'):match('b') == 'b' and ('abc'):match('()b') == 2)
assert(('%5.1f|%d|%s|%q|%%'):format(1.5, 3, {}, 'x') == '  1.5|3|table|"x"|%')
local t = {5, 2, 9, 1, 5, 3} table.sort(t) assert(table.concat(t, ',') == '1,2,3,5,5,9')
table.sort(t, function(a, b) return a > b end) assert(table.concat(t, ',') == '9,5,5,3,2,1')
local s = {'b', 'c', 'a'} table.sort(s) assert(table.concat(s) == 'abc')
local l = {} table.insert(l, 'a') table.insert(l, 1, 'b') table.insert(l, 2, 'c') assert(table.concat(l) == 'bca')
assert(select('#', ('x'):gsub('x', 'y')) == 2)
return require('ktstr').scenario {})") == "ok");
  for (const auto* wrong :
       {"('x'):gsub('x', nil)", "('x'):gsub('(', 'y')", "('x'):gsub('x', '%2')",
        "('x'):gsub('x', function() return {} end)", "string.gsub({}, 'x', 'y')", "string.find()",
        "('x'):find({})", "('x'):gmatch()", "table.sort(5)", "table.sort({1, 'x'})", "table.sort({}, 5)",
        "table.insert(5, 1)", "table.insert({})", "table.insert({}, 'x', 1)", "('%d'):format('x')",
        "('%y'):format(1)", "string.format()", "string.rep()", "('x'):match('%')"})
    CHECK_MESSAGE(bundle.outcome(wrong).starts_with("foo.lua:1: "), wrong << "\n" << bundle.outcome(wrong));
}

}  // namespace ktstr::lua
