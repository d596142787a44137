// A struct's fields, named once: reading, writing, tables for people and the reference pages all come from
// this list.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

namespace ktstr {

/// One member of Owner: its name in every output, its type, and a sentence that includes the unit.
template <class Owner, class Member>
struct FieldDescription {
  std::string_view name;
  Member Owner::*member;
  std::string_view doc;
};

template <class Owner, class Member>
constexpr FieldDescription<Owner, Member> field(std::string_view name, Member Owner::*member,
                                                std::string_view doc) {
  return {name, member, doc};
}

template <class Owner, class... Members>
struct RecordDescription {
  std::string_view name;
  std::string_view doc;
  std::tuple<FieldDescription<Owner, Members>...> fields;
};

namespace detail {

struct AnyMember {
  AnyMember(std::size_t) {}
  template <class T>
  constexpr operator T() const noexcept;
};

template <class T, std::size_t... I>
consteval bool takes_members(std::index_sequence<I...>) {
  return requires {
    T{AnyMember(I)...};
  };
}

/// How many members the aggregate T has.
template <class T, std::size_t N = 0>
consteval std::size_t member_count() {
  if constexpr (takes_members<T>(std::make_index_sequence<N>{}) &&
                !takes_members<T>(std::make_index_sequence<N + 1>{}))
    return N;
  else
    return member_count<T, N + 1>();
}

}  // namespace detail

/// Describes the aggregate Owner. A member without a field() is a compile error.
template <class Owner, class... Members>
consteval RecordDescription<Owner, Members...> record(std::string_view name, std::string_view doc,
                                                      FieldDescription<Owner, Members>... fields) {
  static_assert(detail::member_count<Owner>() == sizeof...(Members),
                "every member needs a field() in describe<>");
  return {name, doc, {fields...}};
}

/// One enumerator and its name in every output.
template <class E>
struct EnumeratorDescription {
  std::string_view name;
  E value;
  std::string_view doc = {};
};

template <class E, std::size_t N>
struct EnumDescription {
  std::string_view name;
  EnumeratorDescription<E> values[N];
};

template <class E, std::size_t N>
consteval EnumDescription<E, N> enumeration(std::string_view name,
                                            const EnumeratorDescription<E> (&values)[N]) {
  EnumDescription<E, N> description{name, {}};
  for (std::size_t i = 0; i < N; ++i) description.values[i] = values[i];
  return description;
}

struct Undescribed {};

/// Specialise: `template <> inline constexpr auto describe<T> = record<T>("T", "doc", field(...), ...);`
template <class T>
inline constexpr Undescribed describe{};

namespace detail {
template <class T>
inline constexpr bool is_record = false;
template <class Owner, class... Members>
inline constexpr bool is_record<RecordDescription<Owner, Members...>> = true;
template <class T>
inline constexpr bool is_enumeration = false;
template <class E, std::size_t N>
inline constexpr bool is_enumeration<EnumDescription<E, N>> = true;
}  // namespace detail

template <class T>
concept DescribedRecord = detail::is_record<std::remove_cvref_t<decltype(describe<T>)>>;
template <class T>
concept DescribedEnum = detail::is_enumeration<std::remove_cvref_t<decltype(describe<T>)>>;

/// Calls visit(field) for each field of T, in order.
template <DescribedRecord T, class Visitor>
constexpr void for_each_field(Visitor&& visit) {
  std::apply([&](const auto&... fields) { (visit(fields), ...); }, describe<T>.fields);
}

/// The name of an enumerator; "?" for a value outside the list.
template <DescribedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& enumerator : describe<E>.values)
    if (enumerator.value == value) return enumerator.name;
  return "?";
}

}  // namespace ktstr
