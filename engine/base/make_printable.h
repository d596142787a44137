// Every text of a described value made printable at once, so that no member of a report is forgotten.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/base/kind.h"
#include "engine/base/printable.h"

namespace ktstr {

/// How a type that has no describe<> is made printable: specialise with `static void apply(T&)`.
template <class T>
struct MakePrintable {};

namespace detail {

template <class T>
concept HasMakePrintable = requires(T& value) {
  MakePrintable<T>::apply(value);
};

/// Digits, commas and units are printable as they are.
template <class T>
inline constexpr bool holds_no_text =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || kind_of<T> == Kind::kNotation;

}  // namespace detail

/// Makes each std::string in `value` printable_lines().
template <class T>
void make_printable(T& value) {
  constexpr Kind kKind = kind_of<T>;
  if constexpr (detail::HasMakePrintable<T>) {
    MakePrintable<T>::apply(value);
  } else if constexpr (kKind == Kind::kText) {
    value = printable_lines(value);
  } else if constexpr (kKind == Kind::kRecord) {
    for_each_field<T>([&](const auto& field) { make_printable(value.*field.member); });
  } else if constexpr (kKind == Kind::kOptional) {
    if (value) make_printable(*value);
  } else if constexpr (kKind == Kind::kList) {
    if constexpr (!detail::holds_no_text<typename T::value_type>)
      for (auto& item : value) make_printable(item);
  } else if constexpr (kKind == Kind::kMap) {
    T made;
    for (auto& [key, item] : value) {
      make_printable(item);
      made.emplace(printable(key), std::move(item));
    }
    value = std::move(made);
  } else if constexpr (kKind == Kind::kChoice) {
    std::visit([](auto& alternative) { make_printable(alternative); }, value);
  } else {
    static_assert(detail::holds_no_text<T>, "this type needs a describe() or a MakePrintable<>");
  }
}

}  // namespace ktstr
