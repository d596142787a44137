#include "engine/scenario/ctprof_tags.h"

#include <algorithm>

namespace ktstr::engine {
namespace {

constexpr std::size_t kLongestTag = 100;
constexpr std::string_view kTagCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

}  // namespace

ReadStatus CtprofTags::add(const CtprofOp& op, const Place& place) {
  const auto at = place.member("tag");
  if (op.tag.empty()) return at.error("expected a tag such as \"before\"");
  if (op.tag.find_first_not_of(kTagCharacters) != op.tag.npos)
    return at.error("\"" + op.tag + "\" can't be a tag: letters, digits, \".\", \"_\" and \"-\"");
  if (op.tag.size() > kLongestTag)
    return at.error("must be at most " + std::to_string(kLongestTag) + " bytes long");
  if (used_.insert(op.tag).second) return {};
  return at.error("\"" + op.tag + "\" is the tag of an earlier capture, whose file this one would replace");
}

bool captures_threads(const Scenario& scenario) {
  const auto is_capture = [](const Op& op) { return std::holds_alternative<CtprofOp>(op); };
  return std::ranges::any_of(scenario.steps,
                             [&](const Step& step) { return std::ranges::any_of(step.ops, is_capture); });
}

}  // namespace ktstr::engine
