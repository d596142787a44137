// Writing described values into any sink that takes RapidJSON's SAX events (a JSON writer, Lua, text).
#pragma once

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <array>
#include <cmath>
#include <concepts>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "engine/base/value.h"

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

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_list<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

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

template <class Sink>
void write_tree(Sink& sink, const Value& value) {
  if (const auto* object = value.get_if<Value::Object>()) {
    sink.StartObject();
    for (const auto& [key, member] : *object) write_key(sink, key), write(sink, member);
    sink.EndObject(static_cast<rapidjson::SizeType>(object->size()));
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
  if constexpr (HasCustomWriter<Sink, T>) {
    CustomWriter<T>::write(sink, value);
  } else if constexpr (std::same_as<T, Value>) {
    write_tree(sink, value);
  } else if constexpr (std::same_as<T, bool>) {
    sink.Bool(value);
  } else if constexpr (DescribedEnum<T>) {
    write_string(sink, enum_name(value));
  } else if constexpr (std::floating_point<T>) {
    std::isfinite(value) ? sink.Double(value) : sink.Null();
  } else if constexpr (std::signed_integral<T>) {
    sink.Int64(value);
  } else if constexpr (std::unsigned_integral<T>) {
    sink.Uint64(value);
  } else if constexpr (std::convertible_to<T, std::string_view>) {
    write_string(sink, value);
  } else if constexpr (std::same_as<T, Duration>) {
    write_string(sink, format_duration(value));
  } else if constexpr (std::same_as<T, ByteSize>) {
    write_string(sink, format_byte_size(value));
  } else if constexpr (std::same_as<T, CpuSet>) {
    write_string(sink, value.to_string());
  } else if constexpr (is_optional<T>) {
    value ? write(sink, *value) : static_cast<void>(sink.Null());
  } else if constexpr (is_list<T>) {
    sink.StartArray();
    for (const auto& item : value) write(sink, item);
    sink.EndArray(static_cast<rapidjson::SizeType>(value.size()));
  } else if constexpr (is_map<T>) {
    sink.StartObject();
    for (const auto& [key, item] : value) write_key(sink, key), write(sink, item);
    sink.EndObject(static_cast<rapidjson::SizeType>(value.size()));
  } else if constexpr (is_variant<T>) {
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
    static_assert(DescribedRecord<T>, "this type needs a describe<>");
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
