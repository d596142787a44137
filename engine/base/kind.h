// kind_of: what sort of value a type is, said once for everything that treats values by it: readers, writers,
// printable text, reference pages.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "engine/base/value.h"

namespace ktstr {

enum class Kind {
  kTree,  ///< Value: anything
  kBoolean,
  kEnumeration,  ///< described
  kNumber,       ///< with a fraction
  kInteger,
  kText,
  kNotation,  ///< a string in a notation of its own: see Notation
  kOptional,
  kList,    ///< std::vector, std::array
  kMap,     ///< by std::string
  kChoice,  ///< a std::variant of described records
  kRecord,  ///< described
  kOther,
};

/// How a value that is written as a string is spelled. `kExpected` is for errors, `kPage` for reference
/// pages.
template <class T>
struct Notation;
template <>
struct Notation<Duration> {
  static constexpr std::string_view kExpected = "a duration such as \"50ms\"";
  static constexpr std::string_view kPage = "duration";
  static auto parse(std::string_view text) { return parse_duration(text); }
  static auto format(Duration duration) { return format_duration(duration); }
};
template <>
struct Notation<ByteSize> {
  static constexpr std::string_view kExpected = "a size such as \"64K\"";
  static constexpr std::string_view kPage = "size";
  static auto parse(std::string_view text) { return parse_byte_size(text); }
  static auto format(ByteSize size) { return format_byte_size(size); }
};
template <>
struct Notation<CpuSet> {
  static constexpr std::string_view kExpected = "a CPU list such as \"0-3\"";
  static constexpr std::string_view kPage = "CPU list";
  static auto parse(std::string_view text) { return CpuSet::parse(text); }
  static auto format(const CpuSet& cpus) { return cpus.to_string(); }
};

namespace detail {

template <class T>
inline constexpr Kind container_kind = Kind::kOther;
template <class T>
inline constexpr Kind container_kind<std::optional<T>> = Kind::kOptional;
template <class T>
inline constexpr Kind container_kind<std::vector<T>> = Kind::kList;
template <class T, std::size_t N>
inline constexpr Kind container_kind<std::array<T, N>> = Kind::kList;
template <class T>
inline constexpr Kind container_kind<std::map<std::string, T>> = Kind::kMap;
template <class... T>
inline constexpr Kind container_kind<std::variant<T...>> = Kind::kChoice;

template <class T>
consteval Kind find_kind() {
  if constexpr (container_kind<T> != Kind::kOther) return container_kind<T>;
  if constexpr (std::same_as<T, Value>) return Kind::kTree;
  if constexpr (std::same_as<T, bool>) return Kind::kBoolean;
  if constexpr (std::floating_point<T>) return Kind::kNumber;
  if constexpr (std::integral<T>) return Kind::kInteger;
  if constexpr (std::convertible_to<T, std::string_view>) return Kind::kText;
  if constexpr (requires { Notation<T>::kPage; }) return Kind::kNotation;
  if constexpr (DescribedEnum<T>) return Kind::kEnumeration;
  if constexpr (DescribedRecord<T>) return Kind::kRecord;
  return Kind::kOther;
}

}  // namespace detail

/// A container of another make specialises it.
template <class T>
inline constexpr Kind kind_of = detail::find_kind<T>();

}  // namespace ktstr
