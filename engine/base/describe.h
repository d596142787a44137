// A struct's fields, named once: reading, writing, tables for people and the reference pages all come from
// this list.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ktstr {

/// Where another program keeps a member's value: in which of its structures, along which of several paths
/// (the newest first), and what it must have been configured with.
struct Origin {
  std::string_view structure;
  std::array<std::string_view, 2> paths;
  std::string_view config;
};

/// One member of Owner: its name in every output, its type, and a sentence that includes the unit.
template <class Owner, class Member>
struct FieldDescription {
  std::string_view name;
  Member Owner::*member;
  std::string_view doc;
  Origin origin{};

  /// The same, with where a reader finds it.
  template <std::size_t N>
  [[nodiscard]] consteval FieldDescription from(std::string_view structure,
                                                const std::string_view (&paths)[N],
                                                std::string_view config = {}) const {
    static_assert(N <= std::tuple_size_v<decltype(Origin::paths)>);
    FieldDescription described = *this;
    described.origin = {structure, {}, config};
    for (std::size_t i = 0; i < N; ++i) described.origin.paths[i] = paths[i];
    return described;
  }
  /// The same where it is called by its own name.
  [[nodiscard]] consteval FieldDescription from(std::string_view structure) const {
    return from(structure, {name});
  }
};

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

/// What the compiler calls a template argument, without the scopes before it: "nr_running" out of
/// "... [with auto Member = &ktstr::introspect::CpuSnapshot::nr_running; ...]".
consteval std::string_view argument_name(std::string_view function) {
  const auto begin = function.find(" = ") + 3;
  const auto whole = function.substr(begin, function.find_first_of(";]", begin) - begin);
  return whole.substr(whole.rfind(':') + 1);
}
template <auto Member>
consteval std::string_view member_name() {
  return argument_name(__PRETTY_FUNCTION__);
}
template <class T>
consteval std::string_view type_name() {
  return argument_name(__PRETTY_FUNCTION__);
}

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

template <class T, class... Members>
struct RecordDescription {
  using Owner = T;
  static constexpr std::size_t kFieldCount = sizeof...(Members);

  std::string_view name;
  std::string_view doc;
  detail::FieldSlots<std::index_sequence_for<Members...>, FieldDescription<Owner, Members>...> fields;
};

namespace detail {
template <class Owner, class Member>
consteval FieldDescription<Owner, Member> field_of(std::string_view name, Member Owner::*member,
                                                   std::string_view doc) {
  return {.name = name, .member = member, .doc = doc};
}
}  // namespace detail

/// A member under its own name.
template <auto Member>
consteval auto field(std::string_view doc) {
  return detail::field_of(detail::member_name<Member>(), Member, doc);
}
/// A member whose name in outputs is another, because C++ has taken it.
template <auto Member>
consteval auto field(std::string_view name, std::string_view doc) {
  return detail::field_of(name, Member, doc);
}

/// A record whose name in outputs is not its type's.
template <class Owner, class... Members>
consteval RecordDescription<Owner, Members...> record(std::string_view name, std::string_view doc,
                                                      FieldDescription<Owner, Members>... fields) {
  return {name, doc, decltype(RecordDescription<Owner, Members...>::fields)(fields...)};
}
/// A record under its type's name.
template <class Owner, class... Members>
consteval RecordDescription<Owner, Members...> record(std::string_view doc,
                                                      FieldDescription<Owner, Members>... fields) {
  return record(detail::type_name<Owner>(), doc, fields...);
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

namespace detail {
template <class T>
concept DescribesItself = requires {
  requires std::same_as<typename decltype(T::describe())::Owner, T>;
};

template <class T>
consteval auto description_of() {
  if constexpr (DescribesItself<T>) {
    constexpr auto kFields = decltype(T::describe())::kFieldCount;
    static_assert(takes_members<T>(std::make_index_sequence<kFields>{}) &&
                      !takes_members<T>(std::make_index_sequence<kFields + 1>{}),
                  "every member needs a field() in describe()");
    return T::describe();
  } else {
    return Undescribed{};
  }
}
}  // namespace detail

/// A record says it inside itself: `static consteval auto describe() { return record("doc",
/// field<&T::m>("doc"),
/// ...); }`. A member without a field() is a compile error. An enumeration specialises this:
/// `template <> inline constexpr auto describe<E> = enumeration<E>("name", {{"value", E::kValue}, ...});`
template <class T>
inline constexpr auto describe = detail::description_of<T>();

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
