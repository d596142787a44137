#include "engine/scenario/holds.h"

#include <doctest/doctest.h>

namespace ktstr::engine {
namespace {

using namespace std::chrono_literals;

std::string plan(const std::vector<Hold>& holds) {
  std::vector<Step> steps;
  for (const auto& hold : holds) steps.push_back({{}, {}, hold});
  const auto times = plan_holds(steps, 10s);
  std::string text;
  if (!times)
    for (const auto& [step, message] : times.error())
      text += (text.empty() ? "steps[" : "; steps[") + std::to_string(step + 1) + "]: " + message;
  if (!times) return text;
  for (const auto& time : *times) {
    text += (text.empty() ? "" : " ") + format_duration(time.hold);
    if (time.interval) text += "/" + format_duration(*time.interval);
  }
  return text;
}

}  // namespace

TEST_CASE("holds add up, and rest takes what is left") {
  CHECK(plan({FixedHold{3s}, FractionHold{0.25}, RestHold{}}) == "3s 2500ms 4500ms");
  CHECK(plan({RestHold{}}) == "10s");
  CHECK(plan({FixedHold{3s}}) == "3s");
}

TEST_CASE("a loop has its own duration or the rest") {
  CHECK(plan({LoopHold{1s, 4s}, RestHold{}}) == "4s/1s 6s");
  CHECK(plan({FixedHold{4s}, LoopHold{500ms, {}}}) == "4s 6s/500ms");
}

TEST_CASE("holds that can't be are refused with their step") {
  CHECK(plan({FixedHold{0s}}) == "steps[1]: must be longer than 0");
  CHECK(plan({FractionHold{0}}) == "steps[1]: a fraction must be above 0 and at most 1");
  CHECK(plan({FractionHold{1.01}}) == "steps[1]: a fraction must be above 0 and at most 1");
  CHECK(plan({FixedHold{6s}, FixedHold{5s}}) ==
        "steps[2]: 5s is longer than the 4s left of the scenario's 10s");
  CHECK(plan({FixedHold{10s}, RestHold{}}) == "steps[2]: nothing is left of the scenario's 10s");
  CHECK(plan({RestHold{}, FixedHold{1s}}) == "steps[1]: only the last step can hold for the rest");
  CHECK(plan({LoopHold{1s, {}}, FixedHold{1s}}) == "steps[1]: only the last step can hold for the rest");
  CHECK(plan({LoopHold{0s, 1s}}) == "steps[1]: interval must be longer than 0");
  CHECK(plan({LoopHold{1s, 0s}}) == "steps[1]: duration must be longer than 0");
  CHECK(plan({LoopHold{3s, 2s}}) == "steps[1]: interval 3s is longer than the loop's 2s");
  CHECK(plan({FixedHold{8s}, LoopHold{3s, {}}}) == "steps[2]: interval 3s is longer than the loop's 2s");
}

TEST_CASE("all mistakes that do not follow from each other are told, with their steps") {
  CHECK(
      plan({FixedHold{0s}, LoopHold{0s, 0s}, FixedHold{11s}, FixedHold{12s}, RestHold{}, FractionHold{2}}) ==
      "steps[1]: must be longer than 0; steps[2]: interval must be longer than 0; steps[2]: duration must be "
      "longer than 0; steps[3]: 11s is longer than the 10s left of the scenario's 10s; steps[5]: only the "
      "last step can hold for the rest; steps[6]: a fraction must be above 0 and at most 1");
}

}  // namespace ktstr::engine
