// Reading described values from a Value tree (made from Lua or JSON), with errors that name the place.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/write.h"

namespace ktstr {

/// Paths to members of a tree, as errors show them: "cgroups.web", "steps[1]".
[[nodiscard]] std::string member_path(const std::string& path, std::string_view key);
/// `index` counts from 0; paths count from 1, as Lua does.
[[nodiscard]] std::string element_path(const std::string& path, std::size_t index);

/// A reading error: the message, the path of keys to it ("cgroups.web.cpuset"), and the source line (0:
/// unknown).
struct ReadError {
  std::string path;
  std::string message;
  int line = 0;
  std::vector<ReadError> others{};  ///< mistakes found beside this one, which do not follow from it
  std::size_t left_out = 0;         ///< how many more there are than `others` keeps

  /// "cgroups.web.cpuset: message"; the line is left to whoever knows the file's name.
  [[nodiscard]] std::string text() const { return path.empty() ? message : path + ": " + message; }
};

/// Members that a reader did not know and left out: the first few by their paths, and how many there are.
struct UnknownMembers {
  static constexpr std::size_t kMostNamed = 4;
  std::vector<std::string> first;
  std::size_t count = 0;
};

/// Where reading stands: a chain of keys on the stack, and the nearest enclosing source line. A place made
/// from another must not outlive it.
class ReadPlace {
 public:
  ReadPlace() = default;
  /// A root below which unknown members of records are left out and noted; from any other they are errors.
  /// `unknown` must outlive all places made from it.
  [[nodiscard]] static ReadPlace leaving_out(UnknownMembers& unknown);
  [[nodiscard]] ReadPlace member(std::string_view key, const Value& value) const {
    return {this, key, 0, value.line ? value.line : line_};
  }
  /// `index` counts from 0; messages count from 1, as Lua does.
  [[nodiscard]] ReadPlace element(std::size_t index, const Value& value) const {
    return {this, {}, index + 1, value.line ? value.line : line_};
  }
  [[nodiscard]] ReadError error(std::string message) const { return {path(), std::move(message), line_}; }
  /// Whether the unknown member at this place is to be left out; it is noted then.
  [[nodiscard]] bool leave_out() const;
  /// The last key of the path; empty at the root and for a list's element.
  [[nodiscard]] std::string_view key() const { return key_; }

 private:
  ReadPlace(const ReadPlace* parent, std::string_view key, std::size_t ordinal, int line)
      : parent_(parent), unknown_(parent->unknown_), key_(key), ordinal_(ordinal), line_(line) {}
  [[nodiscard]] std::string path() const;

  const ReadPlace* parent_ = nullptr;
  UnknownMembers* unknown_ = nullptr;
  std::string_view key_;
  std::size_t ordinal_ = 0;  ///< of a list element, from 1
  int line_ = 0;
};

/// Nothing, or the first error with the others that were found.
using ReadStatus = std::optional<ReadError>;

/// Adds an error that does not follow from those in `status`. Beyond 20 they are only counted.
void add_error(ReadStatus& status, ReadStatus&& further);

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

/// "expected a string, got a whole number (5)"
[[nodiscard]] ReadError wrong_kind(const Value& value, std::string_view expected, const ReadPlace& place);
/// The same for a list; one value where a list should be is told how to write a list of one.
[[nodiscard]] ReadError not_a_list(const Value& value, const ReadPlace& place);

/// Any integer type's number, if it lies in [lowest, highest]; the bits of `out` are those of the number.
[[nodiscard]] ReadStatus read_number(const Value& value, std::int64_t lowest, std::uint64_t highest,
                                     std::uint64_t& out, const ReadPlace& place);
[[nodiscard]] ReadStatus read_double(const Value& value, double& out, const ReadPlace& place);
/// The index of the name that `value` holds.
[[nodiscard]] ReadStatus read_name(const Value& value, std::string_view type,
                                   std::span<const std::string_view> names, std::size_t& index,
                                   const ReadPlace& place);
/// The members of a table (an empty list is one too: Lua has one spelling for both kinds of empty); nullptr
/// for anything else. Errors: not a table, and each member that is neither among `names` nor called
/// `also_known`.
[[nodiscard]] ReadStatus open_record(const Value& value, std::string_view type,
                                     std::span<const std::string_view> names, std::string_view also_known,
                                     const Value::Object*& object, const ReadPlace& place);
/// The member called `key`, the last of several, or nullptr.
[[nodiscard]] const Value* last_member(const Value::Object& object, std::string_view key);
[[nodiscard]] ReadError missing_member(std::string_view key, const ReadPlace& place);
/// The name in the member "type".
[[nodiscard]] ReadStatus read_type(const Value& value, std::string& name, const ReadPlace& place);
[[nodiscard]] ReadError unknown_type(std::string_view name, std::span<const std::string_view> known,
                                     const ReadPlace& place);

template <std::integral T>
ReadStatus read_integer(const Value& value, T& out, const ReadPlace& place) {
  std::uint64_t number = 0;
  auto status =
      read_number(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), number, place);
  if (!status) out = static_cast<T>(number);
  return status;
}

template <DescribedEnum E>
ReadStatus read_enum(const Value& value, E& out, const ReadPlace& place) {
  std::array<std::string_view, std::size(describe<E>.values)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = describe<E>.values[i].name;
  std::size_t index = 0;
  auto status = read_name(value, describe<E>.name, names, index, place);
  if (!status) out = describe<E>.values[index].value;
  return status;
}

/// A value that the tree holds as it is.
template <class T>
ReadStatus read_plain(const Value& value, T& out, std::string_view expected, const ReadPlace& place) {
  const auto* plain = value.get_if<T>();
  if (!plain) return wrong_kind(value, expected, place);
  out = *plain;
  return {};
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
  if (!list && !empty_table) return not_a_list(value, place);
  const std::size_t size = list ? list->size() : 0;
  if constexpr (requires { out.resize(size); }) out.resize(size);
  if (out.size() != size)
    return place.error("expected " + std::to_string(out.size()) + " elements, got " + std::to_string(size));
  ReadStatus status;
  for (std::size_t i = 0; i < size; ++i)
    add_error(status, read((*list)[i], out[i], place.element(i, (*list)[i]), missing));
  return status;
}

template <class T>
ReadStatus read_map(const Value& value, T& out, const ReadPlace& place, MissingMembers missing) {
  const auto* list = value.get_if<Value::List>();
  if (list && list->empty()) return {};
  const auto* object = value.get_if<Value::Object>();
  if (!object) return wrong_kind(value, "a table of names", place);
  ReadStatus status;
  for (const auto& [key, member] : *object)
    add_error(status, read(member, out[key], place.member(key, member), missing));
  return status;
}

template <DescribedRecord T>
ReadStatus read_record(const Value& value, T& out, const ReadPlace& place, MissingMembers missing,
                       std::string_view also_known = {}) {
  const Value::Object* object = nullptr;
  auto status = open_record(value, describe<T>.name, kFieldNames<T>, also_known, object, place);
  if (!object) return status;
  for_each_field<T>([&](const auto& field) {
    using M = std::remove_cvref_t<decltype(out.*field.member)>;
    if (const Value* member = last_member(*object, field.name))
      add_error(status, ktstr::read(*member, out.*field.member, place.member(field.name, *member), missing));
    else if (missing == MissingMembers::kError && kind_of<M> != Kind::kOptional)
      add_error(status, missing_member(field.name, place));
  });
  return status;
}

template <class... T>
ReadStatus read_variant(const Value& value, std::variant<T...>& out, const ReadPlace& place,
                        MissingMembers missing) {
  std::string name;
  if (auto error = read_type(value, name, place)) return error;
  ReadStatus status;
  bool found = false;
  const auto attempt = [&]<class A>() {
    if (found || describe<A>.name != name) return;
    found = true;
    status = read_record(value, out.template emplace<A>(), place, missing, "type");
  };
  (attempt.template operator()<T>(), ...);
  if (found) return status;
  static constexpr std::string_view kNames[] = {describe<T>.name...};
  return unknown_type(name, kNames, place);
}

}  // namespace detail

/// Fills `out` from `value`. Unknown keys are errors that name the nearest known one; null reads only into
/// optionals.
template <class T>
ReadStatus read(const Value& value, T& out, const ReadPlace& place, MissingMembers missing) {
  using namespace detail;
  constexpr Kind kKind = kind_of<T>;
  if constexpr (HasCustomReader<T>) {
    return CustomReader<T>::read(value, out, place, missing);
  } else if constexpr (kKind == Kind::kTree) {
    out = value;
    return {};
  } else if constexpr (kKind == Kind::kBoolean) {
    return read_plain(value, out, "true or false", place);
  } else if constexpr (kKind == Kind::kEnumeration) {
    return read_enum(value, out, place);
  } else if constexpr (kKind == Kind::kNumber) {
    double number = 0;
    auto status = read_double(value, number, place);
    if (!status) out = static_cast<T>(number);
    return status;
  } else if constexpr (kKind == Kind::kInteger) {
    return read_integer(value, out, place);
  } else if constexpr (kKind == Kind::kText) {
    return read_plain(value, out, "a string", place);
  } else if constexpr (kKind == Kind::kNotation) {
    return read_notation(value, out, place, Notation<T>::kExpected, Notation<T>::parse);
  } else if constexpr (kKind == Kind::kOptional) {
    out.reset();
    return value.is_null() ? ReadStatus{} : read(value, out.emplace(), place, missing);
  } else if constexpr (kKind == Kind::kList) {
    return read_list(value, out, place, missing);
  } else if constexpr (kKind == Kind::kMap) {
    return read_map(value, out, place, missing);
  } else if constexpr (kKind == Kind::kChoice) {
    return read_variant(value, out, place, missing);
  } else {
    return read_record(value, out, place, missing);
  }
}

/// Reads one of our own JSON texts into a T; every non-optional member must be there.
template <class T>
[[nodiscard]] Result<T> from_json(std::string_view text, const JsonLimits& limits = {}) {
  const Value tree = KTSTR_TRY(parse_json(text, limits));
  T out{};
  if (auto error = read(tree, out, {}, MissingMembers::kError)) return corrupted(error->text());
  return out;
}

}  // namespace ktstr
