// Row: one value of one group in two captures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/write.h"
#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/compare/renames.h"

namespace ktstr::introspect::ctprof {

struct Row {
  Section section{};
  std::string group;
  std::string metric;
  std::string unit;
  Aggregate before;
  Aggregate after;
  std::optional<double> change;
  std::optional<double> relative;
  std::optional<double> rate_per_second;
  bool reset = false;
  std::uint64_t threads_reset = 0;
};

/// A group in both captures, or in one.
struct GroupSize {
  std::string group;
  std::optional<std::uint64_t> threads_before;
  std::optional<std::uint64_t> threads_after;
};

struct Comparison {
  std::optional<double> seconds;
  std::vector<std::string> notes;
  std::vector<Rename> renames;
  std::vector<GroupSize> groups;
  std::vector<Row> rows;
};

}  // namespace ktstr::introspect::ctprof

namespace ktstr {

/// A number; [lowest, highest]; {"value", "count", "of"}; {"cpus", "fewest", "most", "uniform"}; null when
/// absent.
template <>
struct CustomWriter<introspect::ctprof::Aggregate> {
  template <class Sink>
  static void write(Sink& sink, const introspect::ctprof::Aggregate& aggregate) {
    std::visit([&](const auto& value) { write_one(sink, value); }, aggregate);
  }

 private:
  template <class Sink>
  static void write_one(Sink& sink, std::monostate) {
    sink.Null();
  }
  template <class Sink, class T>
  static void write_one(Sink& sink, const T& number) {
    ktstr::write(sink, number.value);
  }
  template <class Sink>
  static void write_one(Sink& sink, const introspect::ctprof::Range& range) {
    sink.StartArray();
    sink.Int64(range.lowest);
    sink.Int64(range.highest);
    sink.EndArray(2);
  }
  template <class Sink>
  static void write_one(Sink& sink, const introspect::ctprof::Mode& mode) {
    sink.StartObject();
    detail::write_key(sink, "value"), detail::write_string(sink, mode.value);
    detail::write_key(sink, "count"), sink.Uint64(mode.count);
    detail::write_key(sink, "of"), sink.Uint64(mode.of);
    sink.EndObject(3);
  }
  template <class Sink>
  static void write_one(Sink& sink, const introspect::ctprof::AffinityUnion& affinity) {
    sink.StartObject();
    detail::write_key(sink, "cpus"), detail::write_string(sink, affinity.cpus);
    detail::write_key(sink, "fewest"), sink.Uint64(affinity.fewest);
    detail::write_key(sink, "most"), sink.Uint64(affinity.most);
    detail::write_key(sink, "uniform"), sink.Bool(affinity.uniform);
    sink.EndObject(4);
  }
};

template <>
inline constexpr auto describe<introspect::ctprof::Row> = [] {
  using T = introspect::ctprof::Row;
  return record<T>(
      "Row", "one value of one group in two captures", field("section", &T::section, "what it belongs to"),
      field("group", &T::group, "the group, the cgroup, or \"system\""),
      field("metric", &T::metric, "the metric's name"), field("unit", &T::unit, "of its values"),
      field("before", &T::before, "in the first capture"),
      field("after", &T::after,
            "in the second; of a quotient, of what happened between two captures of one boot"),
      field("change", &T::change, "how much it grew; of a counter of one boot, by threads still there"),
      field("relative", &T::relative, "the change divided by what was before; null from nothing"),
      field("rate_per_second", &T::rate_per_second, "a counter's growth between captures of one boot"),
      field("reset", &T::reset, "a counter fell: it began anew, and has no change"),
      field("threads_reset", &T::threads_reset,
            "threads of the group whose counter fell; they are left out of the change"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::GroupSize> = [] {
  using T = introspect::ctprof::GroupSize;
  return record<T>("GroupSize", "how many threads a group has", field("group", &T::group, "its name"),
                   field("threads_before", &T::threads_before, "in the first capture"),
                   field("threads_after", &T::threads_after, "in the second"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::Rename> = [] {
  using T = introspect::ctprof::Rename;
  return record<T>("Rename", "a group that has another name in the second capture",
                   field("before", &T::before, "its name in the first"),
                   field("after", &T::after, "in the second"),
                   field("score", &T::score, "how alike the names are, 0 to 1"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::Comparison> = [] {
  using T = introspect::ctprof::Comparison;
  return record<T>("Comparison", "what changed between two captures",
                   field("seconds", &T::seconds, "between them, when they are of one boot"),
                   field("notes", &T::notes, "what to know about the two, a sentence each"),
                   field("renames", &T::renames, "groups taken to be the same under another name"),
                   field("groups", &T::groups, "all groups"), field("rows", &T::rows, "the values"));
}();
}  // namespace ktstr
