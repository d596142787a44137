#include "engine/scenario/check_ops.h"

#include <algorithm>

namespace ktstr::engine {
namespace {

constexpr std::size_t kLongestTag = 100;
constexpr std::string_view kWordCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

bool consists_of(std::string_view text, std::string_view more) {
  return !text.empty() && text.find_first_not_of(std::string(kWordCharacters).append(more)) == text.npos;
}

/// kernel/bpf/syscall.c: bpf_obj_name_cpy().
ReadStatus check_map(const std::string& name, const Place& place) {
  if (consists_of(name, ".")) return {};
  return place.error("\"" + name + "\" can't be a map's name: letters, digits, \"_\" and \".\"");
}

ReadStatus check_variable(const std::string& path, const Place& place) {
  if (consists_of(path, ".[]")) return {};
  return place.error("\"" + path +
                     "\" is no variable: expected one such as \"counter\" or \"tuning.steps[2]\"");
}

bool is_scalar(const Value& value) {
  return value.get_if<bool>() || value.get_if<std::int64_t>() || value.get_if<std::uint64_t>() ||
         value.get_if<double>() || value.get_if<std::string>();
}

}  // namespace

ReadStatus check_write(const WriteBpfMapOp& op, const Place& place) {
  auto status = check_map(op.map, place.member("map"));
  add_error(status, check_variable(op.variable, place.member("variable")));
  if (!is_scalar(op.value))
    add_error(status, place.member("value").error("expected true or false, a number or a string, got " +
                                                  std::string(op.value.kind_name())));
  return status;
}

ReadStatus check_read(const ReadBpfMapOp& op, const Place& place) {
  auto status = check_map(op.map, place.member("map"));
  if (op.name && op.name->empty()) add_error(status, place.member("name").error("expected a name"));
  add_error(status, check_variable(op.variable, place.member("variable")));
  return status;
}

ReadStatus PinnedNames::pin(const PinBpfMapOp& op, const Place& place) {
  auto status = check_map(op.map, place.member("map"));
  if (!op.name) return status;
  const auto at = place.member("name");
  add_error(status, check_map(*op.name, at));
  if (status) return status;
  if (*op.name == op.map) return at.error("must be another name than the map's own");
  const auto [known, is_new] = maps_.try_emplace(*op.name, op.map);
  if (is_new || known->second == op.map) return {};
  return at.error("\"" + *op.name + "\" stands for the map " + known->second + " already");
}

ReadStatus CtprofTags::add(const CtprofOp& op, const Place& place) {
  const auto at = place.member("tag");
  if (op.tag.empty()) return at.error("expected a tag such as \"before\"");
  if (!consists_of(op.tag, ".-"))
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
