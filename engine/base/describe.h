// A struct's fields, named once: reading, writing, tables for people and the reference pages all come from
// this list.
#pragma once

#include <cstddef>
#include <string_view>
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

namespace detail {

/// A field's place in a record. Bases of one flat class: std::tuple of as many costs the compiler far more.
template <std::size_t Index, class Field>
struct FieldSlot {
  Field field;
};
template <class Indices, class... Fields>
struct FieldSlots;
template <std::size_t... Indices, class... Fields>
struct FieldSlots<std::index_sequence<Indices...>, Fields...> : FieldSlot<Indices, Fields>... {
  constexpr explicit FieldSlots(Fields... fields) : FieldSlot<Indices, Fields>{fields}... {}

  template <class Visitor>
  constexpr void for_each(Visitor&& visit) const {
    (visit(static_cast<const FieldSlot<Indices, Fields>&>(*this).field), ...);
  }
};

struct AnyMember {
  AnyMember(std::size_t) {}
  template <class T>
  operator T() const noexcept;
};

/// Whether the aggregate T can be made from as many members as there are indices.
template <class T, std::size_t... Indices>
consteval bool takes_members(std::index_sequence<Indices...>) {
  return requires {
    T{AnyMember(Indices)...};
  };
}

}  // namespace detail

template <class Owner, class... Members>
struct RecordDescription {
  static constexpr std::size_t kFieldCount = sizeof...(Members);

  std::string_view name;
  std::string_view doc;
  detail::FieldSlots<std::index_sequence_for<Members...>, FieldDescription<Owner, Members>...> fields;
};

/// Describes the aggregate Owner. A member without a field() is a compile error.
template <class Owner, class... Members>
consteval RecordDescription<Owner, Members...> record(std::string_view name, std::string_view doc,
                                                      FieldDescription<Owner, Members>... fields) {
  static_assert(detail::takes_members<Owner>(std::make_index_sequence<sizeof...(Members)>{}) &&
                    !detail::takes_members<Owner>(std::make_index_sequence<sizeof...(Members) + 1>{}),
                "every member needs a field() in describe<>");
  return {name, doc, decltype(RecordDescription<Owner, Members...>::fields)(fields...)};
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
  describe<T>.fields.for_each(visit);
}

/// The name of an enumerator; "?" for a value outside the list.
template <DescribedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& enumerator : describe<E>.values)
    if (enumerator.value == value) return enumerator.name;
  return "?";
}

}  // namespace ktstr
