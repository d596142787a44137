// A dump as scripts get it: the report's members with plain values, and maps by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "introspect/dump/dump.h"
#include "introspect/render/plain_value.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr::engine {

/// Passes SAX events on, and makes values out of guest memory plain: numbers, names, tables instead of
/// objects tagged with a kind. For scripts and comparisons; files keep the kinds.
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

/// The maps of a report, one for each name: of several with one name that of the loaded scheduler, else the
/// last. Pointers into `report`.
[[nodiscard]] std::map<std::string, const introspect::FailureDumpMap*> maps_by_name(
    const introspect::FailureDumpReport& report);

namespace snapshot_detail {

/// A global section is its variables; any other map is what a dump file has of it.
template <class Sink>
void write_map_contents(PlainSink<Sink>& plain, const introspect::FailureDumpMap& map) {
  map.value && !map.struct_ops ? write(plain, *map.value) : write(plain, map);
}

template <class Sink>
void write_maps(PlainSink<Sink>& plain, const introspect::FailureDumpReport& report) {
  const auto maps = maps_by_name(report);
  ktstr::detail::write_key(plain, "maps");
  plain.StartObject();
  for (const auto& [name, map] : maps) {
    ktstr::detail::write_key(plain, name);
    write_map_contents(plain, *map);
  }
  plain.EndObject(static_cast<rapidjson::SizeType>(maps.size()));
  ktstr::detail::write_key(plain, "map_list");
  write(plain, report.maps);
}

}  // namespace snapshot_detail

/// One object. `maps` has a table for each name: the variables of a global section, the contents of any other
/// map; `map_list` has all of them as in a file. What is absent in the report is absent here.
template <class Sink>
void write_snapshot(Sink& sink, const introspect::FailureDumpReport& report) {
  PlainSink<Sink> plain(sink);
  rapidjson::SizeType members = 1;
  ktstr::detail::start_record<introspect::FailureDumpReport>(plain);
  for_each_field<introspect::FailureDumpReport>([&](const auto& field) {
    ++members;
    if (field.name == "maps") return snapshot_detail::write_maps(plain, report);
    ktstr::detail::write_key(plain, field.name);
    write(plain, report.*field.member);
  });
  plain.EndObject(members);
}

/// Of a dump of another schema, its members with plain values.
template <class Sink>
void write_snapshot(Sink& sink, const introspect::FailureDump& dump) {
  if (const auto* report = std::get_if<introspect::FailureDumpReport>(&dump))
    return write_snapshot(sink, *report);
  PlainSink<Sink> plain(sink);
  std::visit([&](const auto& other) { write(plain, other); }, dump);
}

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
