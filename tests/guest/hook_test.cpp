// Hooks that mean harm, in runs as a user makes them: each ends with a verdict and a plain report, in bounded
// time. What each says exactly is tested where hooks are (tests/lua/hostile_hook_test.cpp).
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/guest/guest_fixture.h"
#include "tests/hostile_text.h"
#include "tests/run_command.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine::testing;

namespace {

struct HostileHook {
  const char* name;
  const char* body;
  bool passes = false;
};

const std::vector<HostileHook> kHooks = {
    {"errmt", "error(setmetatable({}, { __tostring = function() while true do end end }))"},
    {"errnil", "error(nil)"},
    {"errtab", "error({})"},
    {"esc",
     "r:fail('PASS forged\\27[2J\\27]0;pwned\\7\\nPASS forged\\r\\nok 1 forged') return { 'a\\0b', '\\255' "
     "}"},
    {"failbomb", "local s = ('x'):rep(2e7) for i = 1, 400 do r:fail(s) end"},
    {"failmany", "for i = 1, 1e6 do r:fail('x') end"},
    {"failobj", "r.fail(setmetatable({}, { __index = r }), 'a') pcall(r.fail) pcall(r.fail, r, 5)"},
    {"gsubnest", "local function f(s) return (string.gsub(s, '.', f)) end f('x')"},
    {"keepfail", "STASH = r.fail", true},
    {"loop", "while true do end"},
    {"mem", "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end"},
    {"mutate",
     "for key in pairs(r) do r[key] = nil end r.verdict = 'pass' r.failures = {} setmetatable(r, nil)"},
    {"mutmt", "getmetatable(r).__index = nil r.x = r r:fail('no')"},
    {"pattern", "return ('a'):rep(60000):find(('.*'):rep(8) .. 'b')"},
    {"pcall", "while true do pcall(function() while true do end end) end"},
    {"retbomb", "local s, t = ('x'):rep(2e7), {} for i = 1, 400 do t[i] = s end return t"},
    {"retcyc", "local t = {} t[1] = t return t"},
    {"retmt",
     "return setmetatable({}, { __index = function() return 'x' end, __len = function() return 1e9 end })",
     true},
    {"retnum", "return 5"},
    {"rettab", "return { 1, 2, 3 }"},
    {"yield", "coroutine.yield(1)"},
};

std::string script_of(const HostileHook& hook) {
  return "local k = require 'ktstr'\nreturn k.scenario { topology = '1n1l2c1t', duration = '500ms',\n"
         "cgroups = { a = { works = { k.work.cpu_spin { workers = 1 } } } }, check = function(r) " +
         std::string(hook.body) + " end }";
}

}  // namespace

TEST_CASE("hooks that mean harm fail their runs, and nothing else") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const test::TemporaryDirectory folder;
  auto command = "cd " + folder.path().string() + " && " KTSTR_EXECUTABLE " run --ktap";
  for (const auto& hook : kHooks)
    command += " " + folder.write(std::string(hook.name) + ".lua", script_of(hook)).filename().string();
  const auto outcome = test::run_command(command);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.size() < 1U << 20);
  testing::check_harmless(outcome.output.substr(outcome.output.find('\n', 16)));
  for (std::size_t i = 0; i < kHooks.size(); ++i) {
    const auto line = std::string(kHooks[i].passes ? "\nok " : "\nnot ok ") + std::to_string(i + 1) + " " +
                      kHooks[i].name + "\n";
    CHECK_MESSAGE(outcome.output.find(line) != std::string::npos, std::string(kHooks[i].name));
  }
}

TEST_CASE("the fail of a dump's hook is over with it, whoever keeps it") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const test::TemporaryDirectory folder;
  static_cast<void>(folder.write("uaf.lua", R"(local k = require 'ktstr'
local stash, it
return k.scenario { topology = '1n1l2c1t', duration = '1s',
  cgroups = { a = { works = { k.work.cpu_spin { workers = 1 } } } },
  steps = { k.step { k.op.capture_snapshot 'one', hold = '200ms' },
            k.step { k.op.capture_snapshot 'two', hold = k.hold.rest } },
  on_snapshot = function(s)
    if stash then for i = 1, 200 do stash(it, ('A'):rep(64)) end end
    stash, it = s.fail, s
  end,
  check = function() for i = 1, 200 do stash(it, ('B'):rep(64)) end end })"));
  const auto outcome =
      test::run_command("cd " + folder.path().string() + " && " KTSTR_EXECUTABLE " run --ktap uaf.lua");
  INFO(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find("fail: the hook is over") != std::string::npos);
  CHECK(outcome.output.find("AAAA") == std::string::npos);
  CHECK(outcome.output.find("BBBB") == std::string::npos);
  CHECK(outcome.output.ends_with("\nnot ok 1 uaf\n"));
}
