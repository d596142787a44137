// Outcomes of a run, their order and their exit codes, and what a failed check says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::engine {

/// Strongest first: when several parts of a run judge differently, the strongest judgement counts.
enum class Outcome { kFail, kInconclusive, kPass, kSkip };

/// What did not hold. The message is complete by itself: it names the cgroup, the worker, the value and the
/// limit.
struct Failure {
  std::string check;  ///< the expectation's name in a scenario ("max_gap"), or "guest", "monitor", "check",
                      ///< "step" ...
  std::string message;
  std::optional<std::string> cgroup{};
  std::optional<std::int32_t> tid{};

  static consteval auto describe() {
    using T = Failure;
    return record("what did not hold", field<&T::check>("name of the check"),
                  field<&T::message>("what was seen and what was allowed"),
                  field<&T::cgroup>("the cgroup concerned"),
                  field<&T::tid>("the worker concerned, guest thread id"));
  }
};

/// fail > inconclusive > pass > skip; skip for an empty list.
[[nodiscard]] inline Outcome combine(std::initializer_list<Outcome> outcomes) {
  return outcomes.size() == 0 ? Outcome::kSkip : std::min(outcomes);
}

/// The process's exit code: 1 fail, 2 inconclusive, 0 pass and skip.
[[nodiscard]] inline int exit_code(Outcome outcome) {
  if (outcome == Outcome::kInconclusive) return 2;
  return outcome == Outcome::kFail ? 1 : 0;
}

}  // namespace ktstr::engine

namespace ktstr {
template <>
inline constexpr auto describe<engine::Outcome> = enumeration<engine::Outcome>(
    "verdict", {{"fail", engine::Outcome::kFail, "something expected did not hold"},
                {"inconclusive", engine::Outcome::kInconclusive, "the run could not be judged"},
                {"pass", engine::Outcome::kPass, "everything expected held"},
                {"skip", engine::Outcome::kSkip, "the kernel lacks what the scenario needs"}});
}  // namespace ktstr
