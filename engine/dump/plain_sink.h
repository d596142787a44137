// PlainSink: passes SAX events on, and makes values out of guest memory plain: numbers, names, tables instead
// of objects tagged with a kind. For scripts and comparisons; files keep the kinds.
#pragma once

#include <cstdint>

#include "introspect/render/plain_value.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr::engine {

template <class Inner>
class PlainSink {
 public:
  explicit PlainSink(Inner& inner) : inner_(inner) {}
  [[nodiscard]] Inner& inner() const { return inner_; }

  bool Null() { return inner_.Null(); }
  bool Bool(bool value) { return inner_.Bool(value); }
  bool Int64(std::int64_t value) { return inner_.Int64(value); }
  bool Uint64(std::uint64_t value) { return inner_.Uint64(value); }
  bool Double(double value) { return inner_.Double(value); }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return inner_.String(text, size, copy);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) { return inner_.Key(text, size, copy); }
  bool StartObject() { return inner_.StartObject(); }
  bool StartRecord(const RecordNames& names) requires requires(Inner& inner) { inner.StartRecord(names); }
  { return inner_.StartRecord(names); }
  bool EndObject(rapidjson::SizeType size) { return inner_.EndObject(size); }
  bool StartArray() { return inner_.StartArray(); }
  bool EndArray(rapidjson::SizeType size) { return inner_.EndArray(size); }

 private:
  Inner& inner_;
};

}  // namespace ktstr::engine

namespace ktstr::introspect {

template <class Inner>
class RenderedValueWriter<engine::PlainSink<Inner>> {
 public:
  explicit RenderedValueWriter(engine::PlainSink<Inner>& sink) : sink_(sink) {}
  void write(const RenderedValue& value) { write_plain(sink_.inner(), value); }

 private:
  engine::PlainSink<Inner>& sink_;
};

}  // namespace ktstr::introspect
