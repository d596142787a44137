#include "engine/scenario/holds.h"

#include <cmath>

namespace ktstr::engine {
namespace {

using Message = tl::unexpected<std::string>;

/// A step's time; no value in `hold`: whatever is left.
struct Asked {
  std::optional<Duration> hold;
  std::optional<Duration> interval;
};

struct AskedFor {
  Duration duration;

  using Answer = tl::expected<Asked, std::string>;

  Answer operator()(const FixedHold& hold) const {
    if (hold.duration.ns <= 0) return Message("must be longer than 0");
    return Asked{hold.duration, {}};
  }
  Answer operator()(const FractionHold& hold) const {
    if (!(hold.fraction > 0 && hold.fraction <= 1))
      return Message("a fraction must be above 0 and at most 1");
    return Asked{Duration(std::llround(hold.fraction * static_cast<double>(duration.ns))), {}};
  }
  Answer operator()(const LoopHold& hold) const {
    if (hold.interval.ns <= 0) return Message("interval must be longer than 0");
    if (hold.duration && hold.duration->ns <= 0) return Message("duration must be longer than 0");
    return Asked{hold.duration, hold.interval};
  }
  Answer operator()(const RestHold&) const { return Asked{}; }
};

/// One step's time when `left` of the scenario is not spoken for yet.
tl::expected<StepTime, std::string> fit(const Asked& asked, Duration left, Duration duration, bool is_last) {
  if (!asked.hold && !is_last) return Message("only the last step can hold for the rest");
  if (left.ns <= 0) return Message("nothing is left of the scenario's " + format_duration(duration));
  const auto hold = asked.hold.value_or(left);
  if (hold > left)
    return Message(format_duration(hold) + " is longer than the " + format_duration(left) +
                   " left of the scenario's " + format_duration(duration));
  if (asked.interval && *asked.interval > hold)
    return Message("interval " + format_duration(*asked.interval) + " is longer than the loop's " +
                   format_duration(hold));
  return StepTime{hold, asked.interval};
}

}  // namespace

tl::expected<std::vector<StepTime>, HoldError> plan_holds(const std::vector<Step>& steps, Duration duration) {
  std::vector<StepTime> times;
  auto left = duration;
  for (const auto& step : steps) {
    const auto index = times.size();
    const auto time = std::visit(AskedFor{duration}, step.hold).and_then([&](const Asked& asked) {
      return fit(asked, left, duration, index + 1 == steps.size());
    });
    if (!time) return tl::unexpected(HoldError{index, time.error()});
    left = Duration(left.ns - time->hold.ns);
    times.push_back(*time);
  }
  return times;
}

}  // namespace ktstr::engine
