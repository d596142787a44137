#include "engine/dump/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "engine/base/nearest.h"
#include "engine/base/printable.h"
#include "engine/dump/difference_kind.h"
#include "engine/dump/snapshot.h"
#include "introspect/dump/dump.h"

namespace ktstr::engine {
namespace {

/// Members that name an element among its brothers, the first that they all have and that is different in
/// each.
constexpr std::array<std::string_view, 12> kNames = {"pid",       "key_hex",   "cpu",   "node",
                                                     "path",      "origin",    "name",  "allocator_name",
                                                     "user_addr", "bucket_id", "index", "key"};

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

/// A place in both trees: its path, and what is known of all below it.
struct Place {
  std::string path;
  DifferenceKind kind = DifferenceKind::kState;
  bool contents = false;  ///< within a scheduler's own data

  [[nodiscard]] Place member(const std::string& key) const {
    Place below{path.empty() ? key : path + "." + key, kind, contents || holds_contents(path, key)};
    if (!below.contents && kind == DifferenceKind::kState) below.kind = kind_of_member(path, key);
    return below;
  }
  [[nodiscard]] Place element(std::string element_path) const {
    return {std::move(element_path), kind, contents};
  }
};

/// How the tree shows a pointer among a scheduler's own data.
constexpr std::string_view kAddressMark = "&0x";

bool is_address(const Value& value) {
  const auto* text = value.get_if<std::string>();
  return text && text->starts_with(kAddressMark);
}

class Differ {
 public:
  std::vector<DumpDifference> differences;

  void compare(const Place& place, const Value& before, const Value& after) {
    const auto* before_object = before.get_if<Value::Object>();
    const auto* after_object = after.get_if<Value::Object>();
    if (before_object && after_object)
      return compare_objects(place, *before_object, after, *after_object, before);
    const auto* before_list = before.get_if<Value::List>();
    const auto* after_list = after.get_if<Value::List>();
    if (before_list && after_list) return compare_lists(place, *before_list, *after_list);
    if (scalar_text(before) == scalar_text(after)) return;
    const bool addresses = is_address(before) && is_address(after);
    differences.push_back({place.path, addresses ? DifferenceKind::kAddress : place.kind, before, after});
  }

 private:
  void gone(const Place& place, const Value& value) {
    differences.push_back({place.path, place.kind, value, std::nullopt});
  }
  void came(const Place& place, const Value& value) {
    differences.push_back({place.path, place.kind, std::nullopt, value});
  }

  void compare_objects(const Place& place, const Value::Object& before, const Value& after_value,
                       const Value::Object& after, const Value& before_value) {
    for (const auto& [key, value] : before) {
      const auto* other = after_value.find(key);
      other ? compare(place.member(key), value, *other) : gone(place.member(key), value);
    }
    for (const auto& [key, value] : after)
      if (!before_value.find(key)) came(place.member(key), value);
  }

  void compare_lists(const Place& place, const Value::List& before, const Value::List& after) {
    if (const auto name = naming_member(before, after); name && (!before.empty() || !after.empty()))
      return compare_named(place, *name, before, after);
    const auto both = std::min(before.size(), after.size());
    const auto at = [&](std::size_t i) { return place.element(fmt::format("{}[{}]", place.path, i)); };
    for (std::size_t i = 0; i < both; ++i) compare(at(i), before[i], after[i]);
    for (std::size_t i = both; i < before.size(); ++i) gone(at(i), before[i]);
    for (std::size_t i = both; i < after.size(); ++i) came(at(i), after[i]);
  }

  void compare_named(const Place& place, std::string_view name, const Value::List& before,
                     const Value::List& after) {
    std::map<std::string, const Value*> others;
    for (const auto& element : after) others.emplace(*name_of(element, name), &element);
    const auto at = [&](const std::string& text) {
      return place.element(name == "name" || name == "path"
                               ? fmt::format("{}[{}]", place.path, text)
                               : fmt::format("{}[{} {}]", place.path, name, text));
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

/// A JSON writer that marks pointers.
class MarkingWriter : public rapidjson::Writer<rapidjson::StringBuffer> {
 public:
  using rapidjson::Writer<rapidjson::StringBuffer>::Writer;
  bool Address(std::uint64_t value) {
    const auto text = fmt::format("{}{:x}", kAddressMark, value);
    return String(text.data(), static_cast<rapidjson::SizeType>(text.size()), true);
  }
};

/// The report as a tree of plain data.
Result<Value> tree_of(const introspect::FailureDump& dump) {
  rapidjson::StringBuffer buffer;
  MarkingWriter writer(buffer);
  PlainSink plain(writer);
  std::visit([&](const auto& report) { write(plain, report); }, dump);
  return parse_json({buffer.GetString(), buffer.GetSize()}, introspect::kDumpLimits);
}

/// The names of a report's maps, with those of both reports of a dump of two instants.
std::vector<std::string_view> map_names(const Value& report) {
  std::vector<std::string_view> names;
  for (const auto* part : {&report, report.find("early"), report.find("late")}) {
    const auto* maps = part ? part->find("maps") : nullptr;
    const auto* list = maps ? maps->get_if<Value::List>() : nullptr;
    if (!list) continue;
    for (const auto& map : *list) {
      const auto* member = map.find("name");
      if (const auto* name = member ? member->get_if<std::string>() : nullptr) names.push_back(*name);
    }
  }
  return names;
}

std::vector<std::string_view> member_names(const Value& report) {
  std::vector<std::string_view> names;
  if (const auto* object = report.get_if<Value::Object>())
    for (const auto& [key, value] : *object) names.push_back(key);
  return names;
}

/// Whether one of the dumps has it, or the nearest that they have.
Status check_known(std::string_view what, std::string_view wanted, std::vector<std::string_view> names,
                   const std::vector<std::string_view>& more) {
  names.insert(names.end(), more.begin(), more.end());
  if (std::ranges::find(names, wanted) != names.end()) return ok();
  return Error{ErrorCode::kNotFound,
               fmt::format("neither dump has a {} \"{}\"{}", what, wanted, did_you_mean(wanted, names))};
}

Status check_options(const DiffOptions& options, const Value& before, const Value& after) {
  if (options.map) KTSTR_TRY(check_known("map", *options.map, map_names(before), map_names(after)));
  if (!options.only) return ok();
  const auto first = std::string_view(*options.only).substr(0, options.only->find_first_of(".["));
  return check_known("member", first, member_names(before), member_names(after));
}

bool is_of_map(std::string_view path, const std::string& name) {
  const auto begin = path.find("maps[");
  if (begin != 0 && !(begin != path.npos && path[begin - 1] == '.')) return false;
  const auto rest = path.substr(begin);
  return rest.starts_with("maps[" + name + "]") || rest.starts_with("maps[name " + name + "]");
}

bool is_wanted(const DumpDifference& difference, const DiffOptions& options) {
  if (options.map && !is_of_map(difference.path, *options.map)) return false;
  return !options.only || difference.path.starts_with(*options.only);
}

void leave_out(DifferenceKind kind, LeftOutDifferences& left_out) {
  if (kind == DifferenceKind::kAddress) ++left_out.addresses;
  if (kind == DifferenceKind::kId) ++left_out.ids;
  if (kind == DifferenceKind::kCounter) ++left_out.counters;
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
  if (!before) return "+ " + where + ": " + shortened(scalar_text(*after));
  if (!after) return "- " + where + ": " + shortened(scalar_text(*before));
  const auto a = scalar_text(*before), b = scalar_text(*after);
  return where + ": " + shortened(a) + " -> " + shortened(b) + increase(a, b);
}

std::string LeftOutDifferences::to_text() const {
  std::string text;
  const auto add = [&](std::size_t count, std::string_view one, std::string_view many) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : many);
  };
  add(addresses, "address", "addresses");
  add(ids, "id", "ids");
  add(counters, "counter or clock", "counters and clocks");
  return text.empty() ? "" : "left out: " + text + " (--all shows them)";
}

Result<DumpDiff> diff(const introspect::FailureDump& before, const introspect::FailureDump& after,
                      const DiffOptions& options) {
  const auto first = KTSTR_TRY(tree_of(before));
  const auto second = KTSTR_TRY(tree_of(after));
  KTSTR_TRY(check_options(options, first, second));
  Differ differ;
  differ.compare({}, first, second);
  DumpDiff wanted;
  for (auto& difference : differ.differences) {
    if (!is_wanted(difference, options)) continue;
    if (options.all || difference.kind == DifferenceKind::kState)
      wanted.differences.push_back(std::move(difference));
    else
      leave_out(difference.kind, wanted.left_out);
  }
  return wanted;
}

}  // namespace ktstr::engine
