// What a hostile script can't do.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

/// A script that ends with an empty scenario if `body` runs.
std::string around(const std::string& body) {
  return body + "\nreturn require('ktstr').scenario {}";
}

/// Code that holds when `name`, a global or a member of one, is not there.
std::string absent(const std::string& name) {
  const auto dot = name.find('.');
  if (dot == std::string::npos) return "assert(rawget(_G, '" + name + "') == nil)";
  return "assert(" + name + " == nil)";
}

const Limits kSmall{8U << 20, 1'000'000, std::chrono::seconds(1)};

}  // namespace

TEST_CASE("nothing that reaches the host is there") {
  const Bundle bundle;
  for (const auto* name :
       {"io", "os", "ffi", "debug", "package", "jit", "load", "loadstring", "loadfile", "dofile",
        "collectgarbage", "getfenv", "setfenv", "newproxy", "gcinfo", "module", "string.dump"})
    CHECK_MESSAGE(bundle.outcome(around(absent(name))) == "ok", name);
  for (const auto* name : {"bit", "string"})
    CHECK_MESSAGE(
        bundle.outcome("require '" + std::string(name) + "'").find("beside the script") != std::string::npos,
        name);
}

TEST_CASE("what the sandbox leaves out of Lua is told with the reason") {
  const Bundle bundle;
  CHECK(bundle.outcome("\nio.open('/etc/passwd')") ==
        "foo.lua:2: the sandbox has no io: a script can't reach the host's files, processes or clocks");
  CHECK(
      bundle.outcome("load('return 1')") ==
      "foo.lua:1: the sandbox has no load: a script can't make code out of text; require reads files beside "
      "the script");
  for (const auto* name : {"io", "os", "ffi", "debug", "jit", "package"})
    CHECK_MESSAGE(
        bundle.outcome("require '" + std::string(name) + "'")
            .starts_with("foo.lua:1: require \"" + std::string(name) + "\": the sandbox has no " + name),
        name);
}

TEST_CASE("a global that nothing declared is an error, with the nearest name") {
  const Bundle bundle;
  CHECK(bundle.outcome("local x = 1\nlocal y = wrokers") == "foo.lua:2: undeclared global \"wrokers\"");
  CHECK(bundle.outcome("workers = 1\nlocal y = wrokers") ==
        "foo.lua:2: undeclared global \"wrokers\" (did you mean \"workers\"?)");
  CHECK(bundle.outcome("prnt 'x'") == "foo.lua:1: undeclared global \"prnt\" (did you mean \"print\"?)");
  CHECK(bundle.outcome("if _G.workers then end") == "foo.lua:1: undeclared global \"workers\"");
  CHECK(bundle.outcome(around("assert(rawget(_G, 'workers') == nil) workers = nil assert(workers == nil)")) ==
        "ok");
  CHECK(bundle.outcome(around("function later() return now end now = 2 assert(later() == 2)")) == "ok");
  CHECK(bundle.outcome("setmetatable(_G, {})").find("cannot change a protected metatable") !=
        std::string::npos);
  CHECK(bundle.outcome("_G[nil] = 1").starts_with("foo.lua:1: "));
}

TEST_CASE("64-bit literals give no way to the ffi library") {
  const Bundle bundle;
  CHECK(bundle.outcome(around("assert(getmetatable(1ULL) == 'ffi' and rawget(_G, 'ffi') == nil)")) == "ok");
}

TEST_CASE("bytecode is not loaded") {
  const Bundle bundle;
  const auto host = ScriptHost::load(bundle.write("code.lua", "\x1bLJ\x02\x02"));
  REQUIRE_FALSE(host.has_value());
  CHECK(host.error().message.find("attempt to load chunk with wrong mode") != std::string::npos);
}

TEST_CASE("an endless loop ends with its line") {
  const Bundle bundle;
  CHECK(bundle.outcome("local n = 0\nwhile true do n = n + 1 end", kSmall) ==
        "foo.lua:2: ran too long: a script may use 1000000 instructions");
}

TEST_CASE("an endless loop can't be kept alive by pcall, xpcall or coroutines") {
  const Bundle bundle;
  for (const auto* script :
       {"while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end"})
    CHECK_MESSAGE(
        bundle.outcome(script, kSmall) == "foo.lua:1: ran too long: a script may use 1000000 instructions",
        script);
}

TEST_CASE("an endless loop can't hide near the end of the stack") {
  const Bundle bundle;
  for (const auto* script : {"local function f() pcall(f) return f() end f()",
                             "local function deep(n) if n > 0 then return 1 + deep(n - 1) end while true do "
                             "pcall(deep, 1) end end "
                             "for n = 1, 1e9 do pcall(deep, n) end"})
    CHECK_MESSAGE(bundle.outcome(script, kSmall).starts_with("foo.lua:1: ran too long: a script may use 1"),
                  script);
}

TEST_CASE("a script that catches the end of its budget still fails") {
  const Bundle bundle;
  CHECK(bundle.outcome(around("pcall(function() while true do end end)"), kSmall)
            .starts_with("foo.lua:1: ran too long"));
  CHECK(bundle.outcome(around("pcall(string.rep, 'x', 1e9)"), kSmall) ==
        "foo.lua:1: out of memory: a script may use 8M");
}

TEST_CASE("xpcall gives results, or what its handler makes of the error") {
  const Bundle bundle;
  CHECK(bundle.outcome(around("local ok, a, b = xpcall(function(...) return ... end, error, 1, 2)\n"
                              "assert(ok and a == 1 and b == 2)\n"
                              "local failed, text = xpcall(error, function(e) return e .. '!' end, 'x')\n"
                              "assert(not failed and text == 'x!')")) == "ok");
}

TEST_CASE("a memory bomb ends with its line") {
  const Bundle bundle;
  const Limits patient{8U << 20, 100'000'000, std::chrono::seconds(10)};
  for (const auto* bomb :
       {"local t = {} for i = 1, 1e9 do t[i] = {} end", "local s = 'x' while true do s = s .. s end",
        "local s = ('x'):rep(1e9)", "local t = {} for i = 1, 1e9 do t[#t + 1] = ('y'):rep(1000) .. i end",
        "local s = ('%s'):rep(2^20):gsub('.', ('z'):rep(2^10))"})
    CHECK_MESSAGE(
        bundle.outcome("\n" + std::string(bomb), patient) == "foo.lua:2: out of memory: a script may use 8M",
        bomb);
}

TEST_CASE("endless recursion ends") {
  const Bundle bundle;
  CHECK(
      bundle.outcome("local function f() return 1 + f() end\nf()").starts_with("foo.lua:1: stack overflow"));
}

TEST_CASE("modules come from beside the script, once") {
  const Bundle bundle;
  bundle.write("lib/shared.lua",
               "counter = (rawget(_G, 'counter') or 0) + 1\nreturn { topology = '1n1l2c1t' }");
  CHECK(bundle.outcome(
            "local shared = require 'lib.shared'\nassert(shared == require 'lib.shared' and counter == 1)\n"
            "return require('ktstr').scenario { topology = shared.topology }") == "ok");
}

TEST_CASE("modules can't come from elsewhere") {
  const Bundle bundle;
  const Bundle elsewhere;
  const auto secret = elsewhere.write("secret.lua", "return 'secret'");
  std::filesystem::create_symlink(secret, bundle.directory() / "link.lua");
  std::filesystem::create_directory_symlink(elsewhere.directory(), bundle.directory() / "dir");
  CHECK(bundle.outcome("require 'link'") ==
        "foo.lua:1: require \"link\": link.lua leads out of the script's directory");
  CHECK(bundle.outcome("require 'dir.secret'") ==
        "foo.lua:1: require \"dir.secret\": dir/secret.lua leads out of the script's directory");
  for (const auto* name : {"..secret", "/etc/passwd", "../secret", "a/b", "", "a..b", ".a", "a\\0b"})
    CHECK_MESSAGE(
        bundle.outcome("require '" + std::string(name) + "'").find("not a module name") != std::string::npos,
        name);
}

TEST_CASE("mistakes in modules are told with the module's file and line") {
  const Bundle bundle;
  bundle.write("broken.lua", "\nlocal x = = 1");
  CHECK(bundle.outcome("require 'broken'") == "broken.lua:2: unexpected symbol near '='");
  bundle.write("cycle.lua", "return require 'cycle'");
  CHECK(bundle.outcome("require 'cycle'").find("require \"cycle\": the module requires itself") !=
        std::string::npos);
  bundle.write("works.lua", "local k = require 'ktstr'\nreturn {\n  k.work.pipe_io { workers = 1 },\n}");
  CHECK(bundle.outcome("local k = require 'ktstr'\nlocal works = require 'works'\n"
                       "return k.scenario { cgroups = { web = { works = { works[1] } } } }") ==
        "works.lua:3: cgroups.web.works[1].workers: 1 is not a multiple of 2: pipe_io workers come in groups "
        "of 2");
}

}  // namespace ktstr::lua
