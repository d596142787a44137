// Tags of captures: what is refused before anything boots.
#include <doctest/doctest.h>

#include "engine/scenario/ctprof_tags.h"
#include "tests/engine/scenario/ops_outcome.h"

namespace ktstr::engine {
namespace {

std::string capture(const std::string& tag) {
  return R"({"type": "ctprof", "tag": ")" + tag + "\"}";
}

}  // namespace

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

TEST_CASE("a scenario with such an op is told from one without") {
  Scenario scenario;
  scenario.steps.resize(2);
  CHECK_FALSE(captures_threads(scenario));
  scenario.steps[1].ops = {StopCgroupOp{"web"}, CtprofOp{"after"}};
  CHECK(captures_threads(scenario));
}

}  // namespace ktstr::engine
