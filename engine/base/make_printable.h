// Every text of a described value made printable at once, so that no member of a report is forgotten.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/printable.h"
#include "engine/base/units.h"

namespace ktstr {

/// How a type that has no describe<> is made printable: specialise with `static void apply(T&)`.
template <class T>
struct MakePrintable {};

/// These write themselves with digits, commas and units.
template <>
struct MakePrintable<CpuSet> {
  static void apply(CpuSet&) {}
};
template <>
struct MakePrintable<Duration> {
  static void apply(Duration&) {}
};
template <>
struct MakePrintable<ByteSize> {
  static void apply(ByteSize&) {}
};

namespace detail {

template <class T>
concept HasMakePrintable = requires(T& value) {
  MakePrintable<T>::apply(value);
};

template <class T>
inline constexpr bool holds_no_text = std::is_arithmetic_v<T> || std::is_enum_v<T>;

}  // namespace detail

template <class T>
void make_printable(std::optional<T>& value);
template <class T>
void make_printable(std::vector<T>& values);
template <class T>
void make_printable(std::map<std::string, T>& values);
template <class T, std::size_t N>
void make_printable(std::array<T, N>& values);
template <class... T>
void make_printable(std::variant<T...>& value);

/// Makes each std::string in `value` printable_lines().
template <class T>
void make_printable(T& value) {
  if constexpr (detail::HasMakePrintable<T>)
    MakePrintable<T>::apply(value);
  else if constexpr (std::is_same_v<T, std::string>)
    value = printable_lines(value);
  else if constexpr (DescribedRecord<T>)
    for_each_field<T>([&](const auto& field) { make_printable(value.*field.member); });
  else
    static_assert(detail::holds_no_text<T>, "this type needs a describe<> or a MakePrintable<>");
}
template <class T>
void make_printable(std::optional<T>& value) {
  if (value) make_printable(*value);
}
template <class T>
void make_printable(std::vector<T>& values) {
  if constexpr (!detail::holds_no_text<T>)
    for (auto& value : values) make_printable(value);
}
template <class T>
void make_printable(std::map<std::string, T>& values) {
  std::map<std::string, T> made;
  for (auto& [key, value] : values) {
    make_printable(value);
    made.emplace(printable(key), std::move(value));
  }
  values = std::move(made);
}
template <class T, std::size_t N>
void make_printable(std::array<T, N>& values) {
  if constexpr (!detail::holds_no_text<T>)
    for (auto& value : values) make_printable(value);
}
template <class... T>
void make_printable(std::variant<T...>& value) {
  std::visit([](auto& alternative) { make_printable(alternative); }, value);
}

}  // namespace ktstr
