// Comparing two captures.
#pragma once

#include <set>

#include "introspect/ctprof/compare/grouping.h"
#include "introspect/ctprof/compare/row.h"

namespace ktstr::introspect::ctprof {

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
