// The hook check(report).
#include <doctest/doctest.h>

#include <limits>

#include "engine/report/run_report.h"
#include "tests/lua/bundle.h"

namespace ktstr::lua {
namespace {

using Failures = std::vector<std::string>;

/// Runs a hook with this body on a report, and gives the failures it added.
template <class Report>
Failures failures_of(const std::string& body, const Report& report, const Limits& limits = {}) {
  const Bundle bundle;
  const auto script =
      "local k = require 'ktstr'\nreturn k.scenario { check = function(report)\n" + body + "\nend }";
  auto host = ScriptHost::load(bundle.write("foo.lua", script), limits);
  REQUIRE_MESSAGE(host.has_value(), host.error().message);
  auto failures = host->run_check(report);
  REQUIRE(failures.has_value());
  for (auto& failure : *failures) failure = bundle.shortened(failure);
  return *failures;
}

Value report(const std::string& json) {
  return *parse_json(json);
}

}  // namespace

TEST_CASE("a hook that finds nothing adds nothing") {
  CHECK(failures_of("", report("{}")).empty());
  CHECK(failures_of("return nil", report("{}")).empty());
  CHECK(failures_of("return {}", report("{}")).empty());
}

TEST_CASE("failures are returned, or added one by one") {
  CHECK(failures_of("return 'bad'", report("{}")) == Failures{"bad"});
  CHECK(failures_of("return { 'one', 'two' }", report("{}")) == Failures{"one", "two"});
  CHECK(failures_of("report:fail('first') return 'second'", report("{}")) == Failures{"first", "second"});
}

TEST_CASE("the report is there as tables; absent is nil") {
  const auto tree = report(
      R"({"verdict": "pass", "groups": [{"name": "web", "spread": 2.5}, {"name": "batch", "spread": null}]})");
  CHECK(failures_of("if report.verdict == 'pass' and #report.groups == 2 and report.groups[1].spread == 2.5\n"
                    "   and report.groups[2].spread == nil then return 'seen' end",
                    tree) == Failures{"seen"});
}

TEST_CASE("whole numbers beyond 2^53 keep every digit") {
  const Value tree{Value::Object{{"large", Value{std::numeric_limits<std::uint64_t>::max()}},
                                 {"negative", Value{std::numeric_limits<std::int64_t>::min()}},
                                 {"exact", Value{std::uint64_t{1} << 53}}}};
  CHECK(failures_of("return { tostring(report.large), tostring(report.negative), type(report.exact) }",
                    tree) == Failures{"18446744073709551615ULL", "-9223372036854775808LL", "number"});
  CHECK(failures_of("if report.large == 0xffffffffffffffffULL and report.large > 5 then return 'equal' end",
                    tree) == Failures{"equal"});
}

TEST_CASE("what was read from guest memory is there as plain values") {
  using namespace introspect;
  engine::RunReport run;
  const RenderedValue pair{
      RenderedStruct{"pair", {{"low", {RenderedUint{4, 6}}}, {"on", {RenderedBool{true}}}}}};
  run.map_readings = {{1, 5, "ktstr.bss", 7, "only_cpu", "cpu", {RenderedInt{32, -1}}},
                      {1, 6, "ktstr.bss", 7, "message", {}, {RenderedText{4, std::string("no\0x", 4)}}},
                      {1, 7, "ktstr.bss", 7, "pair", {}, pair}};
  CHECK(
      failures_of("local r = report.map_readings\n"
                  "return { r[1].name .. r[1].value, r[2].value, tostring(r[2].name), r[3].value.low .. ''}",
                  run) == Failures{"cpu-1", "no", "nil", "6"});
}

TEST_CASE("an error in the hook is a failure with its line, after those it added before") {
  CHECK(failures_of("report:fail('first')\nreturn report.nothing.here", report("{}")) ==
        Failures{"first", "foo.lua:4: attempt to index field 'nothing' (a nil value)"});
  CHECK(failures_of("return 5", report("{}")) ==
        Failures{"foo.lua:2: check must return a string, a list of strings, true or false, not a number"});
  CHECK(failures_of("report:fail(5, 6)", report("{}")) ==
        Failures{"foo.lua:3: report:fail takes one string: report:fail(\"message\")"});
}

TEST_CASE("a hook has a budget of its own") {
  CHECK(failures_of("while true do end", report("{}"), {8U << 20, 1'000'000, std::chrono::seconds(1)}) ==
        Failures{"foo.lua:3: ran too long: a script may use 1000000 instructions"});
}

TEST_CASE("without a hook there is nothing to add") {
  const Bundle bundle;
  auto host = ScriptHost::load(bundle.write("foo.lua", "return require('ktstr').scenario {}"));
  REQUIRE(host.has_value());
  CHECK(host->run_check(report("{}"))->empty());
}

}  // namespace ktstr::lua
