// Reading described values from a Value tree (made from Lua or JSON), with errors that name the place.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/nearest.h"
#include "engine/base/write.h"

namespace ktstr {

/// A reading error: the message, the path of keys to it ("cgroups.web.cpuset"), and the source line (0:
/// unknown).
struct ReadError {
  std::string path;
  std::string message;
  int line = 0;

  /// "cgroups.web.cpuset: message"; the line is left to whoever knows the file's name.
  [[nodiscard]] std::string text() const { return path.empty() ? message : path + ": " + message; }
};

/// Where reading stands: the path of keys so far and the nearest enclosing source line.
class ReadPlace {
 public:
  ReadPlace() = default;
  [[nodiscard]] ReadPlace member(std::string_view key, const Value& value) const {
    return {path_.empty() ? std::string(key) : path_ + "." + std::string(key),
            value.line ? value.line : line_};
  }
  [[nodiscard]] ReadPlace element(std::size_t index, const Value& value) const {
    return {path_ + "[" + std::to_string(index + 1) + "]", value.line ? value.line : line_};
  }
  [[nodiscard]] ReadError error(std::string message) const { return {path_, std::move(message), line_}; }

 private:
  ReadPlace(std::string path, int line) : path_(std::move(path)), line_(line) {}
  std::string path_;
  int line_ = 0;
};

/// Nothing, or the first error.
using ReadStatus = std::optional<ReadError>;

/// Missing members keep their defaults (a script), or are errors unless optional (a file or message of our
/// own).
enum class MissingMembers { kKeepDefault, kError };

template <class T>
[[nodiscard]] ReadStatus read(const Value& value, T& out, const ReadPlace& place = {},
                              MissingMembers missing = MissingMembers::kKeepDefault);

/// A type with its own notation specialises this with `static ReadStatus read(const Value&, T&, const
/// ReadPlace&, MissingMembers)`.
template <class T>
struct CustomReader {};

namespace detail {

template <class T>
concept HasCustomReader = requires(const Value& value, T& out, const ReadPlace& place) {
  { CustomReader<T>::read(value, out, place, MissingMembers::kError) } -> std::same_as<ReadStatus>;
};

inline ReadError wrong_kind(const Value& value, std::string_view expected, const ReadPlace& place) {
  return place.error("expected " + std::string(expected) + ", got " + std::string(value.kind_name()));
}

template <std::integral T>
ReadStatus read_integer(const Value& value, T& out, const ReadPlace& place) {
  const auto store = [&](auto number) -> ReadStatus {
    if (!std::in_range<T>(number))
      return place.error(std::to_string(number) + " is out of range (" +
                         std::to_string(std::numeric_limits<T>::min()) + " to " +
                         std::to_string(std::numeric_limits<T>::max()) + ")");
    out = static_cast<T>(number);
    return {};
  };
  if (const auto* number = value.get_if<std::int64_t>()) return store(*number);
  if (const auto* number = value.get_if<std::uint64_t>()) return store(*number);
  return wrong_kind(value, "a whole number", place);
}

template <class T>
ReadStatus read_float(const Value& value, T& out, const ReadPlace& place) {
  if (const auto* number = value.get_if<double>()) return out = static_cast<T>(*number), ReadStatus{};
  if (const auto* number = value.get_if<std::int64_t>()) return out = static_cast<T>(*number), ReadStatus{};
  if (const auto* number = value.get_if<std::uint64_t>()) return out = static_cast<T>(*number), ReadStatus{};
  return wrong_kind(value, "a number", place);
}

template <DescribedEnum E>
ReadStatus read_enum(const Value& value, E& out, const ReadPlace& place) {
  const auto* text = value.get_if<std::string>();
  if (!text) return wrong_kind(value, "a string", place);
  std::vector<std::string_view> names;
  for (const auto& enumerator : describe<E>.values) {
    if (enumerator.name == *text) return out = enumerator.value, ReadStatus{};
    names.push_back(enumerator.name);
  }
  return place.error("unknown " + std::string(describe<E>.name) + " \"" + *text + "\"" +
                     did_you_mean(*text, names));
}

/// A string parsed by `parse` (a duration, a size, a CPU list).
template <class T, class Parse>
ReadStatus read_notation(const Value& value, T& out, const ReadPlace& place, std::string_view expected,
                         Parse parse) {
  const auto* text = value.get_if<std::string>();
  if (!text) return wrong_kind(value, expected, place);
  auto parsed = parse(*text);
  if (!parsed) return place.error(parsed.error().message);
  out = std::move(*parsed);
  return {};
}

template <class T>
ReadStatus read_list(const Value& value, T& out, const ReadPlace& place, MissingMembers missing) {
  const auto* list = value.get_if<Value::List>();
  const auto* object = value.get_if<Value::Object>();
  const bool empty_table = object && object->empty();  // Lua has one spelling for both kinds of empty
  if (!list && !empty_table) return wrong_kind(value, "a list", place);
  const std::size_t size = list ? list->size() : 0;
  if constexpr (requires { out.resize(size); }) out.resize(size);
  if (out.size() != size)
    return place.error("expected " + std::to_string(out.size()) + " elements, got " + std::to_string(size));
  for (std::size_t i = 0; i < size; ++i)
    if (auto error = read((*list)[i], out[i], place.element(i, (*list)[i]), missing)) return error;
  return {};
}

template <class T>
ReadStatus read_map(const Value& value, T& out, const ReadPlace& place, MissingMembers missing) {
  const auto* list = value.get_if<Value::List>();
  if (list && list->empty()) return {};
  const auto* object = value.get_if<Value::Object>();
  if (!object) return wrong_kind(value, "a table of names", place);
  for (const auto& [key, member] : *object)
    if (auto error = read(member, out[key], place.member(key, member), missing)) return error;
  return {};
}

template <DescribedRecord T>
ReadStatus check_keys(const Value::Object& object, const ReadPlace& place, std::string_view also_known) {
  std::vector<std::string_view> names;
  for_each_field<T>([&](const auto& field) { names.push_back(field.name); });
  for (const auto& [key, member] : object) {
    if (key == also_known || std::find(names.begin(), names.end(), key) != names.end()) continue;
    auto unknown = place.member(key, member).error("unknown key");
    unknown.message += did_you_mean(key, names);
    return unknown;
  }
  return {};
}

template <DescribedRecord T>
ReadStatus read_record(const Value& value, T& out, const ReadPlace& place, MissingMembers missing,
                       std::string_view also_known = {}) {
  static const Value::Object kEmpty;
  const auto* list = value.get_if<Value::List>();
  const auto* object = list && list->empty() ? &kEmpty : value.get_if<Value::Object>();
  if (!object) return wrong_kind(value, "a table (" + std::string(describe<T>.name) + ")", place);
  if (auto error = check_keys<T>(*object, place, also_known)) return error;
  ReadStatus status;
  for_each_field<T>([&](const auto& field) {
    if (status) return;
    const Value* member = nullptr;
    for (const auto& [key, candidate] : *object)
      if (key == field.name) member = &candidate;
    using M = std::remove_cvref_t<decltype(out.*field.member)>;
    if (member)
      status = read(*member, out.*field.member, place.member(field.name, *member), missing);
    else if (missing == MissingMembers::kError && !is_optional<M>)
      status = place.error("missing \"" + std::string(field.name) + "\"");
  });
  return status;
}

template <class... T>
ReadStatus read_variant(const Value& value, std::variant<T...>& out, const ReadPlace& place,
                        MissingMembers missing) {
  const auto* type = value.find("type");
  const auto* name = type ? type->get_if<std::string>() : nullptr;
  if (!name) return place.error("expected a table with a \"type\"");
  ReadStatus status;
  bool found = false;
  const auto attempt = [&]<class A>() {
    if (found || describe<A>.name != *name) return;
    found = true;
    status = read_record(value, out.template emplace<A>(), place, missing, "type");
  };
  (attempt.template operator()<T>(), ...);
  if (found) return status;
  const std::string_view names[] = {describe<T>.name...};
  return place.error("unknown type \"" + *name + "\"" + did_you_mean(*name, names));
}

}  // namespace detail

/// Fills `out` from `value`. Unknown keys are errors that name the nearest known one; null reads only into
/// optionals.
template <class T>
ReadStatus read(const Value& value, T& out, const ReadPlace& place, MissingMembers missing) {
  using namespace detail;
  if constexpr (HasCustomReader<T>) {
    return CustomReader<T>::read(value, out, place, missing);
  } else if constexpr (std::same_as<T, Value>) {
    return out = value, ReadStatus{};
  } else if constexpr (std::same_as<T, bool>) {
    if (const auto* flag = value.get_if<bool>()) return out = *flag, ReadStatus{};
    return wrong_kind(value, "true or false", place);
  } else if constexpr (DescribedEnum<T>) {
    return read_enum(value, out, place);
  } else if constexpr (std::floating_point<T>) {
    return read_float(value, out, place);
  } else if constexpr (std::integral<T>) {
    return read_integer(value, out, place);
  } else if constexpr (std::same_as<T, std::string>) {
    if (const auto* text = value.get_if<std::string>()) return out = *text, ReadStatus{};
    return wrong_kind(value, "a string", place);
  } else if constexpr (std::same_as<T, Duration>) {
    return read_notation(value, out, place, "a duration such as \"50ms\"", parse_duration);
  } else if constexpr (std::same_as<T, ByteSize>) {
    return read_notation(value, out, place, "a size such as \"64K\"", parse_byte_size);
  } else if constexpr (std::same_as<T, CpuSet>) {
    return read_notation(value, out, place, "a CPU list such as \"0-3\"", CpuSet::parse);
  } else if constexpr (is_optional<T>) {
    if (value.is_null()) return out.reset(), ReadStatus{};
    return read(value, out.emplace(), place, missing);
  } else if constexpr (is_list<T>) {
    return read_list(value, out, place, missing);
  } else if constexpr (is_map<T>) {
    return read_map(value, out, place, missing);
  } else if constexpr (is_variant<T>) {
    return read_variant(value, out, place, missing);
  } else {
    return read_record(value, out, place, missing);
  }
}

/// Reads one of our own JSON texts into a T; every non-optional member must be there.
template <class T>
[[nodiscard]] Result<T> from_json(std::string_view text) {
  const Value tree = KTSTR_TRY(parse_json(text));
  T out{};
  if (auto error = read(tree, out, {}, MissingMembers::kError))
    return Error{ErrorCode::kCorrupt, error->text()};
  return out;
}

}  // namespace ktstr
