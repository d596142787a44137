// Writing described values into any sink that takes RapidJSON's SAX events (a JSON writer, Lua, text).
#pragma once

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <array>
#include <cmath>
#include <concepts>
#include <span>
#include <string>
#include <variant>

#include "engine/base/kind.h"

namespace ktstr {

template <class Sink, class T>
void write(Sink& sink, const T& value);

/// A type with its own notation (and a CustomReader, if it is ever read) specialises this with
/// `template <class Sink> static void write(Sink&, const T&)`, which writes exactly one SAX value.
template <class T>
struct CustomWriter {};

/// A described record's name and those of its members; it lives as long as the program.
struct RecordNames {
  std::string_view record;
  std::span<const std::string_view> members;
};

namespace detail {

template <class Sink, class T>
concept HasCustomWriter = requires(Sink& sink, const T& value) {
  CustomWriter<T>::write(sink, value);
};

template <class Sink>
void write_string(Sink& sink, std::string_view text) {
  sink.String(text.data(), static_cast<rapidjson::SizeType>(text.size()), true);
}
template <class Sink>
void write_key(Sink& sink, std::string_view key) {
  sink.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()), true);
}

template <DescribedRecord T>
consteval std::array<std::string_view, describe<T>.kFieldCount> field_names() {
  std::array<std::string_view, describe<T>.kFieldCount> names;
  std::size_t i = 0;
  for_each_field<T>([&](const auto& field) { names[i++] = field.name; });
  return names;
}
template <DescribedRecord T>
inline constexpr auto kFieldNames = field_names<T>();

template <DescribedRecord T>
inline constexpr RecordNames kRecordNames{describe<T>.name, kFieldNames<T>};

/// The beginning of an object that is a T: for a sink that asks for more than StartObject() says.
template <DescribedRecord T, class Sink>
void start_record(Sink& sink) {
  if constexpr (requires { sink.StartRecord(kRecordNames<T>); })
    sink.StartRecord(kRecordNames<T>);
  else
    sink.StartObject();
}

template <class Sink, DescribedRecord T>
void write_fields(Sink& sink, const T& record) {
  for_each_field<T>([&](const auto& field) {
    write_key(sink, field.name);
    write(sink, record.*field.member);
  });
}

template <class Sink, class Members>
void write_members(Sink& sink, const Members& members) {
  sink.StartObject();
  for (const auto& [key, member] : members) {
    write_key(sink, key);
    write(sink, member);
  }
  sink.EndObject(static_cast<rapidjson::SizeType>(members.size()));
}

template <class Sink>
void write_tree(Sink& sink, const Value& value) {
  if (const auto* object = value.get_if<Value::Object>()) {
    write_members(sink, *object);
  } else if (value.is_null() || value.get_if<Value::Function>()) {
    sink.Null();
  } else {
    std::visit(
        [&](const auto& scalar) {
          using S = std::remove_cvref_t<decltype(scalar)>;
          if constexpr (!std::same_as<S, std::monostate> && !std::same_as<S, Value::Function> &&
                        !std::same_as<S, Value::Object>)
            write(sink, scalar);
        },
        value.data);
  }
}

}  // namespace detail

/// Writes `value` as one SAX value: records as objects, a variant of records as an object with a leading
/// "type", optionals as the value or null, durations and sizes as strings with a unit, a non-finite double as
/// null.
template <class Sink, class T>
void write(Sink& sink, const T& value) {
  using namespace detail;
  constexpr Kind kKind = kind_of<T>;
  if constexpr (HasCustomWriter<Sink, T>) {
    CustomWriter<T>::write(sink, value);
  } else if constexpr (kKind == Kind::kTree) {
    write_tree(sink, value);
  } else if constexpr (kKind == Kind::kBoolean) {
    sink.Bool(value);
  } else if constexpr (kKind == Kind::kEnumeration) {
    write_string(sink, enum_name(value));
  } else if constexpr (kKind == Kind::kNumber) {
    std::isfinite(value) ? sink.Double(value) : sink.Null();
  } else if constexpr (kKind == Kind::kInteger) {
    if constexpr (std::signed_integral<T>)
      sink.Int64(value);
    else
      sink.Uint64(value);
  } else if constexpr (kKind == Kind::kText) {
    write_string(sink, value);
  } else if constexpr (kKind == Kind::kNotation) {
    write_string(sink, Notation<T>::format(value));
  } else if constexpr (kKind == Kind::kOptional) {
    value ? write(sink, *value) : static_cast<void>(sink.Null());
  } else if constexpr (kKind == Kind::kList) {
    sink.StartArray();
    for (const auto& item : value) write(sink, item);
    sink.EndArray(static_cast<rapidjson::SizeType>(value.size()));
  } else if constexpr (kKind == Kind::kMap) {
    write_members(sink, value);
  } else if constexpr (kKind == Kind::kChoice) {
    std::visit(
        [&](const auto& alternative) {
          using A = std::remove_cvref_t<decltype(alternative)>;
          start_record<A>(sink);
          write_key(sink, "type");
          write_string(sink, describe<A>.name);
          write_fields(sink, alternative);
          sink.EndObject(static_cast<rapidjson::SizeType>(1 + describe<A>.kFieldCount));
        },
        value);
  } else {
    static_assert(kKind == Kind::kRecord, "this type needs a describe()");
    start_record<T>(sink);
    write_fields(sink, value);
    sink.EndObject(static_cast<rapidjson::SizeType>(describe<T>.kFieldCount));
  }
}

/// One line of JSON.
template <class T>
[[nodiscard]] std::string to_json(const T& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write(writer, value);
  return {buffer.GetString(), buffer.GetSize()};
}

/// Indented JSON, for files that people open.
template <class T>
[[nodiscard]] std::string to_pretty_json(const T& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 1);
  write(writer, value);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace ktstr
