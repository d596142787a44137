// Scripts that would crash, hang or fill the host.
#include <doctest/doctest.h>

#include <chrono>

#include "tests/contains.h"
#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

/// A script that ends with an empty scenario if `body` runs.
std::string around(const std::string& body) {
  return body + "\nreturn require('ktstr').scenario {}";
}

const Limits kSmall{8U << 20, 1'000'000, std::chrono::seconds(10)};

using ktstr::test::has;

}  // namespace

TEST_CASE("the metatables of modules are out of reach") {
  const Bundle bundle;
  for (const auto* table : {"require 'ktstr'", "require 'ktstr'.cpuset", "require 'ktstr'.hold.rest",
                            "require 'ktstr.ctprof'", "''", "_G"}) {
    CHECK_MESSAGE(bundle.outcome(around("assert(getmetatable(" + std::string(table) + ") == false)")) == "ok",
                  table);
    CHECK_MESSAGE(has(bundle.outcome("getmetatable(" + std::string(table) + ").__index(5, 'x')"),
                      "foo.lua:1: attempt to index"),
                  table);
  }
  CHECK(bundle.outcome("require('ktstr')[{}] = nil local x = require('ktstr')[{}]") ==
        "foo.lua:1: k has names, no key that is a table");
}

TEST_CASE("no address is shown") {
  const Bundle bundle;
  CHECK(bundle.outcome(around(
            "assert(tostring({}) == 'table' and tostring(print) == 'function')\n"
            "assert(tostring(coroutine.create(print)) == 'thread')\n"
            "assert(('%s %s'):format({}, 'x') == 'table x')\n"
            "assert(tostring(5) == '5' and tostring(nil) == 'nil' and tostring(2ULL) == '2ULL')\n"
            "assert(tostring(setmetatable({}, {__tostring = function() return 'it' end})) == 'it')")) ==
        "ok");
  CHECK(
      has(bundle.outcome("local s = ('%p'):format({})"), "foo.lua:1: string.format: scripts have no \"%p\""));
  CHECK(has(bundle.outcome("local s = ('%-20p'):format(print)"), "scripts have no \"%p\""));
}

TEST_CASE("callbacks inside each other end without using up the C stack") {
  const Bundle bundle;
  for (const auto* script :
       {"local function f(s) return (string.gsub(s, '.', f)) end f('x')",
        "local function f(s) local ok, r = pcall(string.gsub, s, '.', f) return 'x' end f('x')",
        "local function f(s) return (string.gsub(s, '.', f)) end coroutine.wrap(f)('x')",
        "local function f(s) return (string.gsub(s, '^(((((((((.)))))))))', f)) end f('x')",
        "local n = 0 local function f() n = n + 1 return (('x'):gsub('x', function() f() return '' end)) end "
        "pcall(f)",
        "local t = setmetatable({}, {__tostring = function(s) return (('x'):gsub('x', function() return "
        "tostring(s) "
        "end)) end}) tostring(t)",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return (k:gsub('.', t)) end "
        "local x = t.x",
        "local t = {} for i = 1, 3 do t[i] = i end local function f(a, b) table.sort({1, 2, 3}, f) return a "
        "< b end "
        "table.sort(t, f)",
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() print(t) return '' end "
        "print(t)",
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = function() return ('%s'):format(t) end "
        "print(t)"}) {
    const auto outcome = bundle.outcome(around(script));
    CHECK_MESSAGE((outcome == "ok" || has(outcome, "stack overflow") || has(outcome, "ran too long") ||
                   has(outcome, "out of memory") || has(outcome, "too many calls")),
                  script << "\n"
                         << outcome);
  }
}

TEST_CASE("coroutines inside each other end") {
  const Bundle bundle;
  CHECK(has(bundle.outcome("local function f() return coroutine.wrap(f)() end f()"), "nested deeper than"));
  CHECK(has(bundle.outcome("local function f() local ok, e = coroutine.resume(coroutine.create(f)) "
                           "assert(ok, e) end f()"),
            "nested deeper than"));
  CHECK(bundle.outcome(
            around("local g = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
                   "assert(g(1) == 2 and g(5) == 10)\n"
                   "local ok, e = pcall(coroutine.wrap(function() error('x', 0) end))\n"
                   "assert(not ok and e == 'x')\n"
                   "for i = 1, 1000 do coroutine.wrap(function() end)() end")) == "ok");
}

TEST_CASE("a pattern counts as what it takes, and ends with its line") {
  const Bundle bundle;
  for (const auto* script :
       {"local s = ('a'):rep(40) local r = s:find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
        "local s = ('a'):rep(60000) local r = s:find(('.*'):rep(8) .. 'b')",
        "local s = ('a'):rep(3e5) s:gsub('a-b', '')", "for w in ('a'):rep(3e5):gmatch('a-b') do end",
        "local s = ('a'):rep(3e5):match('.-.-.-b')",
        "local s = ('x'):rep(1e5) while true do s:find('[' .. ('y'):rep(1000) .. ']') end",
        "pcall(string.gsub, ('x'):rep(3e5), '.-b', '')"})
    CHECK_MESSAGE(bundle.outcome(around(script), kSmall) ==
                      "foo.lua:1: ran too long: a script may use 1000000 instructions",
                  script);
}

TEST_CASE("a pattern of many parts is refused, not followed") {
  const Bundle bundle;
  CHECK(bundle.outcome("local r = ('('):rep(200000):find(('('):rep(200000))") ==
        "foo.lua:1: too many captures");
  CHECK(bundle.outcome("local r = ('x'):rep(2e5):find(('x?'):rep(1e5))") == "foo.lua:1: pattern too complex");
}

TEST_CASE("a plain search takes time in proportion") {
  const Bundle bundle;
  CHECK(bundle.outcome(
            around("local s = ('a'):rep(1e7) assert(not s:find(('a'):rep(5e6) .. 'b', 1, true))")) == "ok");
}

TEST_CASE("functions of Lua's library that loop by their arguments are bounded") {
  const Bundle bundle;
  CHECK(has(bundle.outcome("table.insert({}, -2^31 + 1, 1)"),
            "foo.lua:1: bad argument #2 to 'insert' (position "));
  CHECK(bundle.outcome(around("assert((''):rep(2^31 - 1) == '' and (''):rep(1e15, '') == '')")) == "ok");
  CHECK(bundle.outcome("local t = {} for i = 1, 20000 do t[i] = i % 7 end while true do table.sort(t) end",
                       kSmall) == "foo.lua:1: ran too long: a script may use 1000000 instructions");
  CHECK(has(bundle.outcome("table.move({}, 1, 1e9, 2)", kSmall), "ran too long"));
}

TEST_CASE("a scenario of more values or text than any has is refused before it is copied") {
  const Bundle bundle;
  for (const auto* script :
       {"local t = {} for i = 1, 30 do t = {t, t} end return k.scenario {cgroups = t}",
        "local t = {} for d = 1, 4 do local n = {} for i = 1, 1000 do n[i] = t end t = n end "
        "return k.scenario {cgroups = t}",
        "local t = {} for i = 1, 3e5 do t['c' .. i] = {} end return k.scenario {cgroups = t}"})
    CHECK_MESSAGE(has(bundle.outcome("local k = require 'ktstr' " + std::string(script)),
                      "here are more than 200000 values; what is used several times counts each time"),
                  script);
  CHECK(has(bundle.outcome("local k = require 'ktstr' local s = ('x'):rep(2e7) local t = {} "
                           "for i = 1, 100000 do t[i] = s end return k.scenario {kernel_args = t}"),
            "kernel_args[1]: the texts are longer than 4 MB in all"));
  CHECK(has(bundle.outcome(
                "local k = require 'ktstr' local t = {} t.a, t.b = t, t return k.scenario {cgroups = t}"),
            "tables are nested deeper than 32"));
}

TEST_CASE("many cgroups, and many ops on them, are checked in a moment or refused") {
  const Bundle bundle;
  CHECK(has(bundle.outcome("local k = require 'ktstr' local t = {} for i = 1, 1e5 do t['c' .. i] = {} end "
                           "return k.scenario {cgroups = t}"),
            "cgroups: there are more than 4096 cgroups at once"));
  CHECK(has(bundle.outcome(
                "local k = require 'ktstr' local t = {} for i = 1, 3e4 do t[i] = k.op.stop_cgroup 'x' end "
                "return k.scenario {steps = {k.step(t)}}"),
            "steps: a scenario may have at most 4096 ops, not 30000"));
  CHECK(has(
      bundle.outcome(
          "local k = require 'ktstr' local t = {} for i = 1, 20 do t[i] = k.work.cpu_spin {workers = 4096, "
          "affinity = k.affinity.random_subset(1)} end "
          "return k.scenario {cgroups = {a = {works = t}}}"),
      "more than 32768 workers are started in all"));
}

TEST_CASE("many constructors on one line, or in many calls, are found in the source in a moment") {
  const Bundle bundle;
  std::string script = "local k = require 'ktstr'\nlocal t = {";
  for (int i = 0; i < 20'000; ++i) script += "k.work.cpu_spin{workers=1},";
  CHECK(has(bundle.outcome(script + "}\nreturn k.scenario {cgroups = {a = {works = t}}, x = 1}"),
            "x: unknown key"));
  script = "local k = require 'ktstr'\nlocal t = {";
  for (int i = 0; i < 20'000; ++i) script += "\nk.work.cpu_spin{workers=1},";
  CHECK(has(bundle.outcome(script + "}\nreturn k.scenario {cgroups = {a = {works = t}}, x = 1}"),
            "x: unknown key"));
}

TEST_CASE("a very long message is cut, whatever stands in it") {
  const Bundle bundle;
  const auto marks = bundle.outcome("error(('\\1' .. '0\\1'):rep(1e6))");
  CHECK(marks.size() < 100'000);
  CHECK(has(marks, " bytes more)"));
  CHECK(bundle.outcome("error(('x'):rep(1e7))").size() < 100'000);
  CHECK(bundle.outcome("return require 'ktstr'.scenario {name = ('x'):rep(1e6)}").size() < 10'000);
  CHECK(bundle.outcome("return require 'ktstr'.scenario {[('x'):rep(1e6)] = 1}").size() < 10'000);
}

TEST_CASE("what a script prints is bounded") {
  const Bundle bundle;
  std::string printed;
  auto host = ScriptHost::load(bundle.write("foo.lua",
                                            "return require 'ktstr'.scenario { check = function()\n"
                                            "for i = 1, 1e5 do print(('x'):rep(1000)) end end }"));
  REQUIRE(host.has_value());
  host->print_with([&](std::string_view line) { printed += line; });
  CHECK(host->run_check(*parse_json("{}"))->empty());
  CHECK(printed.size() < (1U << 20) + 2000);
  CHECK(printed.ends_with("\nprint: a script may print 1M; the rest is left out\n"));
}

TEST_CASE("regular expressions that the C library would die of are refused") {
  const Bundle bundle;
  for (const auto* expression :
       {"('('):rep(1e6)", "'a' .. ('+'):rep(200)", "('('):rep(80) .. 'a' .. (')+'):rep(80)",
        "'a{99}{99}{99}'", "'a{30000}'", "'(.*)\\\\1'", "('x'):rep(300)"}) {
    const auto outcome =
        bundle.outcome("return require 'ktstr'.scenario { expect = { scheduler_error = { matches = " +
                       std::string(expression) + " } } }");
    CHECK_MESSAGE(has(outcome, "expect.scheduler_error.matches: m"), expression << "\n" << outcome);
  }
  CHECK(bundle.outcome("return require 'ktstr'.scenario { expect = { scheduler_error = { matches = "
                       "'^runnable task stall \\\\([a-z]+\\\\[[0-9]{1,7}\\\\]\\\\)+.*$' } } }") == "ok");
}

}  // namespace ktstr::lua
