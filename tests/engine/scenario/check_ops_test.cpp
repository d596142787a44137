// Ops on BPF maps and captures: what is refused before anything boots.
#include <doctest/doctest.h>

#include "engine/scenario/check_ops.h"
#include "engine/scenario/load.h"

namespace ktstr::engine {
namespace {

/// A scenario whose only step runs these ops: "ok" or the error without the step.
std::string ops_outcome(const std::string& ops, const std::string& hold = "1") {
  const auto scenario =
      load_scenario(*parse_json(R"({"steps": [{"ops": [)" + ops + R"(], "hold": )" + hold + "}]}"));
  return scenario ? "ok" : scenario.error().text().substr(std::string("steps[1].ops").size());
}
std::string write(const std::string& members) {
  return ops_outcome(R"({"type": "write_bpf_map", )" + members + "}");
}
std::string read(const std::string& members) {
  return ops_outcome(R"({"type": "read_bpf_map", )" + members + "}");
}
std::string pin(const std::string& members) {
  return R"({"type": "pin_bpf_map", )" + members + "}";
}
std::string capture(const std::string& tag) {
  return R"({"type": "ctprof", "tag": ")" + tag + "\"}";
}

}  // namespace

TEST_CASE("a boolean, a number and a text are values") {
  for (const auto* value : {"true", "-1", "18446744073709551615", "0.5", "\"victim\"", "\"\""})
    CHECK(write(R"("map": "ktstr.bss", "variable": "a.b[2][3]", "value": )" + std::string(value)) == "ok");
}

TEST_CASE("anything else is none") {
  CHECK(write(R"("map": "ktstr.bss", "variable": "a")") == "[1]: missing \"value\"");
  CHECK(write(R"("map": "ktstr.bss", "variable": "a", "value": [1])") ==
        "[1].value: expected true or false, a number or a string, got a list");
}

TEST_CASE("names that BPF can't have are told") {
  CHECK(write(R"("map": "ktstr-bss", "variable": "a", "value": 1)") ==
        "[1].map: \"ktstr-bss\" can't be a map's name: letters, digits, \"_\" and \".\"");
  CHECK(read(R"("map": "", "variable": "a")") ==
        "[1].map: \"\" can't be a map's name: letters, digits, \"_\" and \".\"");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a b")") ==
        "[1].variable: \"a b\" is no variable: expected one such as \"counter\" or \"tuning.steps[2]\"");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a", "name": "")") == "[1].name: expected a name");
  CHECK(read(R"("map": "ktstr.bss", "variable": "a", "name": "in the middle")") == "ok");
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss", "name": "old one")")) ==
        "[1].name: \"old one\" can't be a map's name: letters, digits, \"_\" and \".\"");
}

TEST_CASE("a pin's name stands for one map") {
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss")")) == "ok");
  CHECK(ops_outcome(pin(R"("map": "ktstr.bss", "name": "ktstr.bss")")) ==
        "[1].name: must be another name than the map's own");
  const auto old_bss = pin(R"("map": "ktstr.bss", "name": "old")");
  CHECK(ops_outcome(old_bss + "," + old_bss) == "ok");
  CHECK(ops_outcome(old_bss, R"({"type": "loop", "interval": "1s"})") == "ok");
  CHECK(ops_outcome(old_bss + "," + pin(R"("map": "ktstr.data", "name": "old")")) ==
        "[2].name: \"old\" stands for the map ktstr.bss already");
}

TEST_CASE("a tag is made of what file names have") {
  CHECK(ops_outcome(capture("before") + "," + capture("After-2.x_y")) == "ok");
  CHECK(ops_outcome(capture("")) == "[1].tag: expected a tag such as \"before\"");
  CHECK(ops_outcome(R"({"type": "ctprof"})") == "[1]: missing \"tag\"");
  for (const std::string tag : {"a/b", "a b", "../a", "\u00e4"})
    CHECK(ops_outcome(capture(tag)) ==
          "[1].tag: \"" + tag + "\" can't be a tag: letters, digits, \".\", \"_\" and \"-\"");
  CHECK(ops_outcome(capture(std::string(100, 'x'))) == "ok");
  CHECK(ops_outcome(capture(std::string(101, 'x'))) == "[1].tag: must be at most 100 bytes long");
}

TEST_CASE("a tag is used once") {
  const std::string twice = "\"a\" is the tag of an earlier capture, whose file this one would replace";
  CHECK(ops_outcome(capture("a") + "," + capture("a")) == "[2].tag: " + twice);
  CHECK(ops_outcome(capture("a"), R"({"type": "loop", "interval": "1s"})") ==
        "[1].tag: " + twice + " (when the loop repeats)");
}

TEST_CASE("a scenario with a ctprof op is told from one without") {
  Scenario scenario;
  scenario.steps.resize(2);
  CHECK_FALSE(captures_threads(scenario));
  scenario.steps[1].ops = {StopCgroupOp{"web"}, CtprofOp{"after"}};
  CHECK(captures_threads(scenario));
}

}  // namespace ktstr::engine
