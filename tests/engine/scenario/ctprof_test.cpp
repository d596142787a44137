// Tags of captures: what is refused before anything boots.
#include <doctest/doctest.h>

#include "engine/scenario/ctprof_tags.h"
#include "engine/scenario/load.h"

namespace ktstr::engine {
namespace {

/// A scenario whose only step runs these ops: "ok" or the error without the step.
std::string outcome(const std::string& ops, const std::string& hold = "1") {
  const auto scenario =
      load_scenario(*parse_json(R"({"steps": [{"ops": [)" + ops + R"(], "hold": )" + hold + "}]}"));
  return scenario ? "ok" : scenario.error().text().substr(std::string("steps[1].ops").size());
}
std::string capture(const std::string& tag) {
  return R"({"type": "ctprof", "tag": ")" + tag + "\"}";
}

}  // namespace

TEST_CASE("a tag is made of what file names have") {
  CHECK(outcome(capture("before") + "," + capture("After-2.x_y")) == "ok");
  CHECK(outcome(capture("")) == "[1].tag: expected a tag such as \"before\"");
  CHECK(outcome(R"({"type": "ctprof"})") == "[1]: missing \"tag\"");
  for (const std::string tag : {"a/b", "a b", "../a", "\u00e4"})
    CHECK(outcome(capture(tag)) ==
          "[1].tag: \"" + tag + "\" can't be a tag: letters, digits, \".\", \"_\" and \"-\"");
  CHECK(outcome(capture(std::string(100, 'x'))) == "ok");
  CHECK(outcome(capture(std::string(101, 'x'))) == "[1].tag: must be at most 100 bytes long");
}

TEST_CASE("a tag is used once") {
  const std::string twice = "\"a\" is the tag of an earlier capture, whose file this one would replace";
  CHECK(outcome(capture("a") + "," + capture("a")) == "[2].tag: " + twice);
  CHECK(outcome(capture("a"), R"({"type": "loop", "interval": "1s"})") ==
        "[1].tag: " + twice + " (when the loop repeats)");
}

TEST_CASE("a scenario with such an op is told from one without") {
  Scenario scenario;
  scenario.steps.resize(2);
  CHECK_FALSE(captures_threads(scenario));
  scenario.steps[1].ops = {StopCgroupOp{"web"}, CtprofOp{"after"}};
  CHECK(captures_threads(scenario));
}

}  // namespace ktstr::engine
