// Hooks that would crash, hang or fill the host, or lose the verdict.
#include <doctest/doctest.h>
#include <sys/eventfd.h>

#include "engine/base/fd.h"
#include "engine/report/run_report.h"
#include "tests/contains.h"
#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

using Failures = std::vector<std::string>;

/// A script whose hook `check` has this body.
class Hook {
 public:
  explicit Hook(const std::string& body, const std::string& before = "", const Limits& limits = {}) {
    auto host = ScriptHost::load(
        bundle_.write("foo.lua", "local k = require 'ktstr' " + before +
                                     "\nreturn k.scenario { check = function(r)\n" + body + "\nend }"),
        limits);
    REQUIRE_MESSAGE(host.has_value(), host.error().message);
    host_.emplace(std::move(*host));
  }
  Failures run() {
    auto failures = host_->run_check(engine::RunReport{});
    REQUIRE(failures.has_value());
    for (auto& failure : *failures) failure = bundle_.shortened(failure);
    return *failures;
  }
  ScriptHost& host() { return *host_; }

 private:
  Bundle bundle_;
  std::optional<ScriptHost> host_;
};

Failures failures_of(const std::string& body) {
  return Hook(body).run();
}

using ktstr::test::has;

}  // namespace

TEST_CASE("fail of a hook that is over says so") {
  Hook hook("if stash then for i = 1, 200 do stash(it, ('A'):rep(64)) end end stash, it = r.fail, r",
            "stash = nil");
  CHECK(hook.run().empty());
  const auto failures = hook.run();
  REQUIRE(failures.size() == 1);
  CHECK(failures[0] == "foo.lua:3: fail: the hook is over");
}

TEST_CASE("fail checks what it gets") {
  for (const auto* call : {"r.fail(nil, 'b')", "r.fail()", "r.fail(r)", "r.fail(r, 5)", "r.fail('x')",
                           "r.fail(r, 'x', 'y')", "r:fail(nil)", "r:fail({})"}) {
    const auto failures = failures_of(call);
    REQUIRE_MESSAGE(failures.size() == 1, call);
    CHECK_MESSAGE(failures[0] == "foo.lua:3: report:fail takes one string: report:fail(\"message\")", call);
  }
  CHECK(failures_of("r.fail(setmetatable({}, {__index = r}), 'a')") == Failures{"a"});
}

TEST_CASE("very many failures are counted, very long ones cut") {
  const auto many = failures_of("for i = 1, 1e6 do r:fail('x' .. i) end");
  REQUIRE(many.size() == 101);
  CHECK(many[99] == "x100");
  CHECK(many[100] == "and 999900 more failures");
  const auto large = failures_of("local s = ('x'):rep(2e7) for i = 1, 400 do r:fail(s) end");
  REQUIRE(large.size() == 101);
  CHECK(large[0].size() < 5000);
  CHECK(has(large[0], " bytes more)"));
  const auto returned =
      failures_of("local s, t = ('x'):rep(2e7), {} for i = 1, 400 do t[i] = s end return t");
  REQUIRE(returned.size() == 101);
  CHECK(returned[100] == "and 300 more failures");
}

TEST_CASE("failures are UTF-8, whatever bytes the hook has") {
  CHECK(failures_of("return { 'a\\255\\254b', '\\195\\164' }") == Failures{"a\\xff\\xfeb", "\u00e4"});
}

TEST_CASE("an error after very many failures is kept") {
  const auto failures = failures_of("for i = 1, 1000 do r:fail('x') end error('last')");
  CHECK(failures.back() == "foo.lua:3: last");
}

TEST_CASE("true passes, false fails") {
  CHECK(failures_of("return true").empty());
  CHECK(failures_of("return false") == Failures{"check returned false"});
}

TEST_CASE("errors of any kind are failures") {
  CHECK(failures_of("error(nil)") == Failures{"foo.lua: the error is a nil, not a message"});
  CHECK(failures_of("error({})") == Failures{"foo.lua: the error is a table, not a message"});
  CHECK(failures_of("error(setmetatable({}, {__tostring = function() while true do end end}))") ==
        Failures{"foo.lua: the error is a table, not a message"});
  CHECK(failures_of("return 5").size() == 1);
  CHECK(failures_of("return {1, 2, 3}").size() == 1);
  CHECK(failures_of("local t = {} t[1] = t return t").size() == 1);
  CHECK(
      failures_of(
          "return setmetatable({}, {__index = function() return 'x' end, __len = function() return 1e9 end})")
          .empty());
  CHECK(has(failures_of("coroutine.yield(1)").at(0), "attempt to yield"));
}

TEST_CASE("hooks without an end, or with a hunger, end as failures") {
  const Limits small{16U << 20, 3'000'000, std::chrono::seconds(10)};
  for (const auto* body : {"while true do end", "while true do pcall(function() while true do end end) end",
                           "('a'):rep(60000):find(('.*'):rep(8) .. 'b')",
                           "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end",
                           "local function f(s) return (string.gsub(s, '.', f)) end f('x')"})
    CHECK_MESSAGE(Hook(body, "", small).run().size() == 1, body);
}

TEST_CASE("a hook may change its report, and changes nothing but its tables") {
  CHECK(failures_of("for key in pairs(r) do r[key] = nil end r.verdict = 'pass' r.failures = {} return nil")
            .empty());
  CHECK(has(failures_of("setmetatable(r, nil)").at(0), "cannot change a protected metatable"));
  CHECK(has(failures_of("getmetatable(r).__index = nil").at(0), "attempt to index a boolean value"));
}

TEST_CASE("a field that the report does not have is an error, one that is absent is nil") {
  CHECK(failures_of("return r.verdct").at(0) ==
        "foo.lua:3: RunReport has no \"verdct\" (did you mean \"verdict\"?)");
  CHECK(failures_of("if r.kernel.relase then end").at(0) ==
        "foo.lua:3: KernelReport has no \"relase\" (did you mean \"release\"?)");
  CHECK(failures_of("assert(r.reason == nil and r.kernel.build_id == nil and r.monitor == nil)").empty());
  CHECK(failures_of("local x = r[1]").at(0) == "foo.lua:3: RunReport is no list: it has names, not numbers");
  CHECK(failures_of("assert(rawget(r, 'nothing') == nil and #r.failures == 0)").empty());
}

TEST_CASE("an interrupt ends a hook, inside a pattern too") {
  for (const auto* body : {"while true do end",
                           "while true do pcall(string.find, ('a'):rep(60000), ('.*'):rep(8) .. 'b') end"}) {
    Hook hook(body);
    const Fd stop(eventfd(1, EFD_CLOEXEC));
    REQUIRE(stop);
    hook.host().stop_when_readable(stop.get());
    const auto failures = hook.host().run_check(engine::RunReport{});
    REQUIRE_FALSE(failures.has_value());
    CHECK(failures.error().code == ErrorCode::kCancelled);
    CHECK(has(failures.error().message, "foo.lua:3: interrupted"));
  }
}

}  // namespace ktstr::lua
