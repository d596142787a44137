// The JSON form of a RenderedValue: an object tagged by "kind". Include it wherever one is written or read.
#pragma once

#include <cmath>
#include <initializer_list>
#include <string_view>

#include "engine/base/make_printable.h"
#include "engine/base/read.h"
#include "engine/base/write.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect {

/// The SAX events of one rendered value.
template <class Sink>
class RenderedValueWriter {
 public:
  explicit RenderedValueWriter(Sink& sink) : sink_(sink) {}

  void write(const RenderedValue& value) {
    std::visit([this](const auto& kind) { this->write_kind(kind); }, value.data);
  }

 private:
  void open(std::string_view kind) {
    sink_.StartObject();
    member("kind", kind);
  }
  void close(unsigned members) { sink_.EndObject(members + 1); }
  template <class T>
  void member(std::string_view key, const T& value) {
    ktstr::detail::write_key(sink_, key);
    ktstr::write(sink_, value);
  }
  template <class T>
  unsigned member_if_present(std::string_view key, const std::optional<T>& value) {
    if (value) member(key, *value);
    return value ? 1 : 0;
  }
  template <class Scalar>
  void write_sized(std::string_view kind, const Scalar& scalar) {
    open(kind), member("bits", scalar.bits), member("value", scalar.value), close(2);
  }

  void write_kind(const RenderedInt& kind) { write_sized("int", kind); }
  void write_kind(const RenderedUint& kind) { write_sized("uint", kind); }
  void write_kind(const RenderedBool& kind) { open("bool"), member("value", kind.value), close(1); }
  void write_kind(const RenderedChar& kind) { open("char"), member("value", kind.value), close(1); }
  void write_kind(const RenderedFloat& kind) {
    if (std::isfinite(kind.value)) return write_sized("float", kind);
    const std::string_view name = std::isnan(kind.value) ? "nan" : kind.value > 0 ? "inf" : "-inf";
    open("float"), member("bits", kind.bits), member("value", name), close(2);
  }
  void write_kind(const RenderedEnum& kind) {
    open("enum"), member("bits", kind.bits), member("value", kind.value), member("variant", kind.variant);
    member("is_signed", kind.is_signed), close(4);
  }
  void write_kind(const RenderedStruct& kind) {
    open("struct"), member("type_name", kind.type_name);
    ktstr::detail::write_key(sink_, "members");
    sink_.StartArray();
    for (const RenderedMember& each : kind.members) {
      sink_.StartObject();
      member("name", each.name), member("value", each.value);
      sink_.EndObject(2);
    }
    sink_.EndArray(static_cast<rapidjson::SizeType>(kind.members.size()));
    close(2);
  }
  void write_kind(const RenderedArray& kind) {
    open("array"), member("len", kind.len), member("elements", kind.elements), close(2);
  }
  void write_kind(const RenderedText& kind) {
    open("array"), member("len", kind.len);
    ktstr::detail::write_key(sink_, "elements");
    sink_.StartArray();
    for (const char each : kind.bytes) write_kind(RenderedChar{static_cast<std::uint8_t>(each)});
    sink_.EndArray(static_cast<rapidjson::SizeType>(kind.bytes.size()));
    close(2);
  }
  void write_kind(const RenderedCpuList& kind) { open("cpu_list"), member("cpus", kind.cpus), close(1); }
  void write_kind(const RenderedPtr& kind) {
    unsigned members = 1;
    open("ptr"), member("value", kind.value);
    if (kind.target) {
      members += member_if_present("deref", kind.target->deref);
      members += member_if_present("deref_skipped_reason", kind.target->deref_skipped_reason);
      members += member_if_present("cast_annotation", kind.target->cast_annotation);
      members += member_if_present("symbol", kind.target->symbol);
    }
    close(members);
  }
  void write_kind(const RenderedBytes& kind) { open("bytes"), member("hex", kind.hex), close(1); }
  void write_kind(const RenderedTruncated& kind) {
    open("truncated"), member("needed", kind.needed), member("had", kind.had);
    ktstr::detail::write_key(sink_, "partial");
    kind.partial ? write(*kind.partial) : write_kind(RenderedBytes{});
    close(3);
  }
  void write_kind(const RenderedUnsupported& kind) {
    open("unsupported"), member("reason", kind.reason), close(1);
  }

  Sink& sink_;
};

}  // namespace ktstr::introspect

namespace ktstr {

/// Writes {"kind": ..., ...}. Absent parts of a pointer are left out; a float that is not finite is written
/// as "inf", "-inf" or "nan". Reading gives an equal value back.
template <>
struct CustomWriter<introspect::RenderedValue> {
  template <class Sink>
  static void write(Sink& sink, const introspect::RenderedValue& value) {
    introspect::RenderedValueWriter<Sink>(sink).write(value);
  }
};

/// Errors: no kind or an unknown one, members missing or of the wrong type, values nested deeper than
/// anything that is rendered.
template <>
struct CustomReader<introspect::RenderedValue> {
  [[nodiscard]] static ReadStatus read(const Value& value, introspect::RenderedValue& out,
                                       const ReadPlace& place, MissingMembers missing);
};

/// Not here: as long as it is a value, its bytes are what the guest had. introspect::to_text() escapes.
template <>
struct MakePrintable<introspect::RenderedValue> {
  static void apply(introspect::RenderedValue&) {}
};

}  // namespace ktstr
