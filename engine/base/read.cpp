#include "engine/base/read.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/nearest.h"

namespace ktstr {

std::string member_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::string element_path(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index + 1) + "]";
}

std::string ReadPlace::path() const {
  if (!parent_) return {};
  return ordinal_ == 0 ? member_path(parent_->path(), key_) : element_path(parent_->path(), ordinal_ - 1);
}

ReadPlace ReadPlace::leaving_out(UnknownMembers& unknown) {
  ReadPlace root;
  root.unknown_ = &unknown;
  return root;
}

bool ReadPlace::leave_out() const {
  if (!unknown_) return false;
  ++unknown_->count;
  if (unknown_->first.size() < UnknownMembers::kMostNamed) unknown_->first.push_back(path());
  return true;
}

void add_error(ReadStatus& status, ReadStatus&& further) {
  constexpr std::size_t kMostKept = 20;
  if (!further) return;
  if (!status) return status.swap(further);
  auto others = std::move(further->others);
  status->left_out += further->left_out;
  others.insert(others.begin(), std::move(*further));
  for (auto& other : others)
    if (status->others.size() + 1 < kMostKept)
      status->others.push_back(std::move(other));
    else
      ++status->left_out;
}

namespace detail {
namespace {

template <class Number>
ReadStatus store_in_range(Number number, std::int64_t lowest, std::uint64_t highest, std::uint64_t& out,
                          const ReadPlace& place) {
  if (std::cmp_less(number, lowest) || std::cmp_greater(number, highest))
    return place.error(fmt::format("{} is out of range ({} to {})", number, lowest, highest));
  out = static_cast<std::uint64_t>(number);
  return {};
}

}  // namespace

ReadError wrong_kind(const Value& value, std::string_view expected, const ReadPlace& place) {
  return place.error("expected " + std::string(expected) + ", got " + value.kind_and_value());
}

ReadError not_a_list(const Value& value, const ReadPlace& place) {
  const auto* members = value.get_if<Value::Object>();
  if (!members) return wrong_kind(value, "a list", place);
  const auto* type = value.find("type");
  const auto* name = type ? type->get_if<std::string>() : nullptr;
  const auto key = place.key().empty() ? "" : std::string(place.key()) + " = ";
  return place.error("expected a list, got " + (name ? "one " + *name : std::string(value.kind_name())) +
                     ": a list of one has braces of its own, " + key + "{ ... }");
}

ReadStatus read_number(const Value& value, std::int64_t lowest, std::uint64_t highest, std::uint64_t& out,
                       const ReadPlace& place) {
  if (const auto* number = value.get_if<std::int64_t>())
    return store_in_range(*number, lowest, highest, out, place);
  if (const auto* number = value.get_if<std::uint64_t>())
    return store_in_range(*number, lowest, highest, out, place);
  return wrong_kind(value, "a whole number", place);
}

ReadStatus read_double(const Value& value, double& out, const ReadPlace& place) {
  if (const auto* number = value.get_if<double>())
    out = *number;
  else if (const auto* whole = value.get_if<std::int64_t>())
    out = static_cast<double>(*whole);
  else if (const auto* large = value.get_if<std::uint64_t>())
    out = static_cast<double>(*large);
  else
    return wrong_kind(value, "a number", place);
  return {};
}

ReadStatus read_name(const Value& value, std::string_view type, std::span<const std::string_view> names,
                     std::size_t& index, const ReadPlace& place) {
  const auto* text = value.get_if<std::string>();
  if (!text) return wrong_kind(value, "a string", place);
  const auto found = std::ranges::find(names, *text);
  if (found == names.end())
    return place.error("unknown " + std::string(type) + " \"" + *text + "\"" + did_you_mean(*text, names));
  index = static_cast<std::size_t>(found - names.begin());
  return {};
}

ReadStatus open_record(const Value& value, std::string_view type, std::span<const std::string_view> names,
                       std::string_view also_known, const Value::Object*& object, const ReadPlace& place) {
  static const Value::Object kEmpty;
  const auto* list = value.get_if<Value::List>();
  object = list && list->empty() ? &kEmpty : value.get_if<Value::Object>();
  if (!object) return wrong_kind(value, "a table (" + std::string(type) + ")", place);
  ReadStatus status;
  for (const auto& [key, member] : *object) {
    if (key == also_known || std::ranges::find(names, key) != names.end()) continue;
    const auto at = place.member(key, member);
    if (!at.leave_out()) add_error(status, at.error("unknown key" + did_you_mean(key, names)));
  }
  return status;
}

const Value* last_member(const Value::Object& object, std::string_view key) {
  const auto found = std::ranges::find(object.rbegin(), object.rend(), key, &Value::Member::key);
  return found == object.rend() ? nullptr : &found->value;
}

ReadError missing_member(std::string_view key, const ReadPlace& place) {
  return place.error("missing \"" + std::string(key) + "\"");
}

ReadStatus read_type(const Value& value, std::string& name, const ReadPlace& place) {
  const auto* type = value.find("type");
  const auto* text = type ? type->get_if<std::string>() : nullptr;
  if (!text) return place.error("expected a table with a \"type\"");
  name = *text;
  return {};
}

ReadError unknown_type(std::string_view name, std::span<const std::string_view> known,
                       const ReadPlace& place) {
  return place.error("unknown type \"" + std::string(name) + "\"" + did_you_mean(name, known));
}

}  // namespace detail
}  // namespace ktstr
