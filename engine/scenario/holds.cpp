#include "engine/scenario/holds.h"

#include <cmath>

namespace ktstr::engine {
namespace {

/// A step's time; no value in `hold`: whatever is left.
struct Asked {
  std::optional<Duration> hold;
  std::optional<Duration> interval;
};

struct AskedFor {
  Duration duration;

  Asked operator()(const FixedHold& hold) const { return {hold.duration, {}}; }
  Asked operator()(const FractionHold& hold) const {
    return {Duration(std::llround(hold.fraction * static_cast<double>(duration.ns))), {}};
  }
  Asked operator()(const LoopHold& hold) const { return {hold.duration, hold.interval}; }
  Asked operator()(const RestHold&) const { return {}; }
};

std::string longer_than_loop(Duration interval, Duration hold) {
  return "interval " + format_duration(interval) + " is longer than the loop's " + format_duration(hold);
}

/// What is wrong with a hold whatever the others are.
struct OwnMistakes {
  bool is_last;

  using Messages = std::vector<std::string>;

  Messages operator()(const FixedHold& hold) const {
    return hold.duration.ns > 0 ? Messages{} : Messages{"must be longer than 0"};
  }
  Messages operator()(const FractionHold& hold) const {
    const bool is_part = hold.fraction > 0 && hold.fraction <= 1;
    return is_part ? Messages{} : Messages{"a fraction must be above 0 and at most 1"};
  }
  Messages operator()(const LoopHold& hold) const {
    auto messages = hold.duration ? Messages{} : (*this)(RestHold{});
    if (hold.interval.ns <= 0) messages.emplace_back("interval must be longer than 0");
    if (hold.duration && hold.duration->ns <= 0)
      messages.emplace_back("duration must be longer than 0");
    else if (hold.duration && hold.interval > *hold.duration)
      messages.push_back(longer_than_loop(hold.interval, *hold.duration));
    return messages;
  }
  Messages operator()(const RestHold&) const {
    return is_last ? Messages{} : Messages{"only the last step can hold for the rest"};
  }
};

/// One step's time when `left` of the scenario is not spoken for yet.
tl::expected<StepTime, std::string> fit(const Asked& asked, Duration left, Duration duration) {
  if (left.ns <= 0) return tl::unexpected("nothing is left of the scenario's " + format_duration(duration));
  const auto hold = asked.hold.value_or(left);
  if (hold > left)
    return tl::unexpected(format_duration(hold) + " is longer than the " + format_duration(left) +
                          " left of the scenario's " + format_duration(duration));
  if (asked.interval && *asked.interval > hold)
    return tl::unexpected(longer_than_loop(*asked.interval, hold));
  return StepTime{hold, asked.interval};
}

}  // namespace

/// Steps with a mistake take no time here. Once one does not fit, whether later ones do is not known.
tl::expected<std::vector<StepTime>, std::vector<HoldError>> plan_holds(const std::vector<Step>& steps,
                                                                       Duration duration) {
  std::vector<StepTime> times;
  std::vector<HoldError> errors;
  auto left = duration;
  bool all_fit = true;
  for (std::size_t index = 0; index < steps.size(); ++index) {
    const auto& hold = steps[index].hold;
    const auto own = std::visit(OwnMistakes{index + 1 == steps.size()}, hold);
    for (const auto& message : own) errors.push_back({index, message});
    if (!own.empty() || !all_fit) continue;
    const auto time = fit(std::visit(AskedFor{duration}, hold), left, duration);
    all_fit = time.has_value();
    if (!time) {
      errors.push_back({index, time.error()});
      continue;
    }
    left = Duration(left.ns - time->hold.ns);
    times.push_back(*time);
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return times;
}

}  // namespace ktstr::engine
