#include "engine/verdict/verdict.h"

#include <doctest/doctest.h>

using namespace ktstr::engine;

TEST_CASE("the strongest outcome wins: fail, inconclusive, pass, skip") {
  using enum Outcome;
  CHECK(combine({kSkip, kPass, kInconclusive, kFail}) == kFail);
  CHECK(combine({kSkip, kPass, kInconclusive}) == kInconclusive);
  CHECK(combine({kSkip, kPass}) == kPass);
  CHECK(combine({kSkip}) == kSkip);
  CHECK(combine({}) == kSkip);
}

TEST_CASE("each outcome has its exit code") {
  CHECK(exit_code(Outcome::kFail) == 1);
  CHECK(exit_code(Outcome::kInconclusive) == 2);
  CHECK(exit_code(Outcome::kPass) == 0);
  CHECK(exit_code(Outcome::kSkip) == 0);
}
