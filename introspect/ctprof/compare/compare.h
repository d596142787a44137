// Comparing two captures.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/write.h"
#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/compare/grouping.h"
#include "introspect/ctprof/compare/renames.h"

namespace ktstr::introspect::ctprof {

struct Row {
  Section section{};
  std::string group;
  std::string metric;
  std::string unit;
  Aggregate before;
  Aggregate after;
  std::optional<double> change{};
  std::optional<double> relative{};
  std::optional<double> rate_per_second{};
  bool reset = false;
  std::uint64_t threads_reset = 0;

  static consteval auto describe() {
    using T = Row;
    return record(
        "one value of one group in two captures", field<&T::section>("what it belongs to"),
        field<&T::group>("the group, the cgroup, or \"system\""), field<&T::metric>("the metric's name"),
        field<&T::unit>("of its values"), field<&T::before>("in the first capture"),
        field<&T::after>("in the second; of a quotient, of what happened between two captures of one boot"),
        field<&T::change>("how much it grew; of a counter of one boot, by threads still there"),
        field<&T::relative>("the change divided by what was before; null from nothing"),
        field<&T::rate_per_second>("a counter's growth between captures of one boot"),
        field<&T::reset>("a counter fell: it began anew, and has no change"),
        field<&T::threads_reset>("threads of the group whose counter fell; they are left out of the change"));
  }
};

/// A group in both captures, or in one.
struct GroupSize {
  std::string group;
  std::optional<std::uint64_t> threads_before;
  std::optional<std::uint64_t> threads_after;

  static consteval auto describe() {
    using T = GroupSize;
    return record("how many threads a group has", field<&T::group>("its name"),
                  field<&T::threads_before>("in the first capture"),
                  field<&T::threads_after>("in the second"));
  }
};

struct Comparison {
  std::optional<double> seconds;
  std::vector<std::string> notes;
  std::vector<Rename> renames;
  std::vector<GroupSize> groups;
  std::vector<Row> rows;

  static consteval auto describe() {
    using T = Comparison;
    return record("what changed between two captures",
                  field<&T::seconds>("between them, when they are of one boot"),
                  field<&T::notes>("what to know about the two, a sentence each"),
                  field<&T::renames>("groups taken to be the same under another name"),
                  field<&T::groups>("all groups"), field<&T::rows>("the values"));
  }
};

struct CompareOptions {
  GroupOptions group{};
  /// Only these; all when empty.
  std::set<Section> sections{};
  /// Whether the processes that captured take part.
  bool capturers = false;
};

/// What two captures have to do with each other.
enum class Relation : std::uint8_t {
  kUnknown,         ///< one does not say which boot it is of
  kSameBoot,        ///< counters went on
  kDifferentBoots,  ///< counters began anew: two runs
};
[[nodiscard]] Relation relation_of(const Snapshot& before, const Snapshot& after);

/// Rows of every group and metric of which one capture or both have a value, by section, group and metric. Of
/// one boot, counters grow thread by thread (a thread that ended takes nothing away), and have rates; a
/// counter that fell is said to be reset. Of different boots, totals are compared.
[[nodiscard]] Comparison compare(const Snapshot& before, const Snapshot& after,
                                 const CompareOptions& options);

/// Leaves only rows and groups that match these globs (fnmatch(3)); "" matches all.
void keep_matching(Comparison& comparison, const std::string& group, const std::string& metric);

/// Whether the two values differ.
[[nodiscard]] bool is_changed(const Row& row);

/// The greatest relative change first; what there was nothing of before comes before all others, what can't
/// be measured last.
void sort_by_relative_change(std::vector<Row>& rows);

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

}  // namespace ktstr
