#include "engine/dump/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "engine/base/printable.h"
#include "engine/base/value.h"
#include "engine/dump/plain_sink.h"

namespace ktstr::engine {
namespace {

/// Members that name an element among its brothers, the first that they all have and that is different in
/// each.
constexpr std::array<std::string_view, 12> kNames = {"pid",       "key_hex",   "cpu",   "node",
                                                     "path",      "origin",    "name",  "allocator_name",
                                                     "user_addr", "bucket_id", "index", "key"};

/// Nothing of these is the same twice.
bool is_noise(std::string_view member) {
  static constexpr std::array<std::string_view, 7> kMembers = {
      "origin",    "event_counter_timeline", "vcpu_regs",     "active_map_kvas",
      "task_kvas", "runnable_task_kvas",     "priq_task_kvas"};
  return member.ends_with("_kva") || std::find(kMembers.begin(), kMembers.end(), member) != kMembers.end();
}

/// "origin" is noise in the report and a name in a DSQ.
bool is_skipped(const std::string& path, std::string_view member) {
  return member == "origin" ? path.empty() : is_noise(member);
}

std::string scalar_text(const Value& value) {
  return to_json(value);
}

/// What `name` holds in an element, if that is a scalar.
std::optional<std::string> name_of(const Value& element, std::string_view name) {
  const auto* member = element.find(name);
  if (!member || member->is_null() || member->get_if<Value::List>() || member->get_if<Value::Object>())
    return std::nullopt;
  const auto* text = member->get_if<std::string>();
  return text ? *text : scalar_text(*member);
}

bool tells_apart(const Value::List& list, std::string_view name) {
  std::set<std::string> seen;
  return std::all_of(list.begin(), list.end(), [&](const Value& element) {
    const auto text = name_of(element, name);
    return text && seen.insert(*text).second;
  });
}

std::optional<std::string_view> naming_member(const Value::List& before, const Value::List& after) {
  for (const auto name : kNames)
    if (tells_apart(before, name) && tells_apart(after, name)) return name;
  return std::nullopt;
}

class Differ {
 public:
  std::vector<DumpDifference> differences;

  void compare(const std::string& path, const Value& before, const Value& after) {
    const auto* before_object = before.get_if<Value::Object>();
    const auto* after_object = after.get_if<Value::Object>();
    if (before_object && after_object)
      return compare_objects(path, *before_object, after, *after_object, before);
    const auto* before_list = before.get_if<Value::List>();
    const auto* after_list = after.get_if<Value::List>();
    if (before_list && after_list) return compare_lists(path, *before_list, *after_list);
    const auto a = scalar_text(before), b = scalar_text(after);
    if (a != b) differences.push_back({path, a, b});
  }

 private:
  void gone(std::string path, const Value& value) {
    differences.push_back({std::move(path), scalar_text(value), std::nullopt});
  }
  void came(std::string path, const Value& value) {
    differences.push_back({std::move(path), std::nullopt, scalar_text(value)});
  }

  void compare_objects(const std::string& path, const Value::Object& before, const Value& after_value,
                       const Value::Object& after, const Value& before_value) {
    const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
    for (const auto& [key, value] : before) {
      if (is_skipped(path, key)) continue;
      const auto* other = after_value.find(key);
      other ? compare(below(key), value, *other) : gone(below(key), value);
    }
    for (const auto& [key, value] : after)
      if (!is_skipped(path, key) && !before_value.find(key)) came(below(key), value);
  }

  void compare_lists(const std::string& path, const Value::List& before, const Value::List& after) {
    if (const auto name = naming_member(before, after); name && (!before.empty() || !after.empty()))
      return compare_named(path, *name, before, after);
    const auto both = std::min(before.size(), after.size());
    const auto at = [&](std::size_t i) { return fmt::format("{}[{}]", path, i); };
    for (std::size_t i = 0; i < both; ++i) compare(at(i), before[i], after[i]);
    for (std::size_t i = both; i < before.size(); ++i) gone(at(i), before[i]);
    for (std::size_t i = both; i < after.size(); ++i) came(at(i), after[i]);
  }

  void compare_named(const std::string& path, std::string_view name, const Value::List& before,
                     const Value::List& after) {
    std::map<std::string, const Value*> others;
    for (const auto& element : after) others.emplace(*name_of(element, name), &element);
    const auto at = [&](const std::string& text) {
      return name == "name" || name == "path" ? fmt::format("{}[{}]", path, text)
                                              : fmt::format("{}[{} {}]", path, name, text);
    };
    for (const auto& element : before) {
      const auto text = *name_of(element, name);
      const auto other = others.find(text);
      if (other == others.end()) {
        gone(at(text), element);
      } else {
        compare(at(text), element, *other->second);
        others.erase(other);
      }
    }
    for (const auto& element : after)
      if (const auto text = *name_of(element, name); others.count(text) != 0) came(at(text), element);
  }
};

/// The report as a tree of plain data.
Result<Value> tree_of(const introspect::FailureDump& dump) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  PlainSink plain(writer);
  std::visit([&](const auto& report) { write(plain, report); }, dump);
  return parse_json({buffer.GetString(), buffer.GetSize()});
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 200;
  return text.size() <= kMost ? printable(text) : printable(text.substr(0, kMost)) + "...";
}

/// " (+2)" between two whole numbers.
std::string increase(const std::string& before, const std::string& after) {
  const auto number = [](const std::string& text) -> std::optional<__int128> {
    if (text.empty() || text.size() > 20) return std::nullopt;
    const bool negative = text.front() == '-';
    __int128 value = 0;
    for (const char c : std::string_view(text).substr(negative ? 1 : 0)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    return negative ? -value : value;
  };
  const auto a = number(before), b = number(after);
  if (!a || !b) return {};
  const auto size = static_cast<std::uint64_t>(*b > *a ? *b - *a : *a - *b);
  return fmt::format(" ({}{})", *b > *a ? '+' : '-', size);
}

}  // namespace

std::string DumpDifference::to_text() const {
  const auto where = printable(path);
  if (!before) return "+ " + where + ": " + shortened(*after);
  if (!after) return "- " + where + ": " + shortened(*before);
  return where + ": " + shortened(*before) + " -> " + shortened(*after) + increase(*before, *after);
}

Result<std::vector<DumpDifference>> diff(const introspect::FailureDump& before,
                                         const introspect::FailureDump& after) {
  const auto first = KTSTR_TRY(tree_of(before));
  const auto second = KTSTR_TRY(tree_of(after));
  Differ differ;
  differ.compare("", first, second);
  return std::move(differ.differences);
}

}  // namespace ktstr::engine
