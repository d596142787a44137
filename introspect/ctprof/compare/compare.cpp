#include "introspect/ctprof/compare/compare.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "introspect/ctprof/compare/derived.h"
#include "introspect/ctprof/compare/growth.h"
#include "introspect/ctprof/compare/leaves.h"

namespace ktstr::introspect::ctprof {
namespace {

/// Seconds between captures of one boot, the second of which is the later.
std::optional<double> seconds_between(const Snapshot& before, const Snapshot& after) {
  if (relation_of(before, after) != Relation::kSameBoot) return std::nullopt;
  if (!before.captured_at_boot_ns || !after.captured_at_boot_ns) return std::nullopt;
  if (*after.captured_at_boot_ns <= *before.captured_at_boot_ns) return std::nullopt;
  return static_cast<double>(*after.captured_at_boot_ns - *before.captured_at_boot_ns) * 1e-9;
}

std::vector<std::string> notes_of(const Snapshot& before, const Snapshot& after) {
  std::vector<std::string> notes;
  const auto relation = relation_of(before, after);
  if (relation == Relation::kDifferentBoots)
    notes.emplace_back("the captures are of different boots: totals are compared, there are no rates");
  if (relation == Relation::kUnknown)
    notes.emplace_back("a capture does not say which boot it is of: totals are compared, there are no rates");
  if (relation == Relation::kSameBoot && !seconds_between(before, after))
    notes.emplace_back(
        "the second capture is not later than the first: totals are compared, there are no rates");
  if (before.host.kernel_release != after.host.kernel_release)
    notes.emplace_back("kernels: " + before.host.kernel_release.value_or("-") + " and " +
                       after.host.kernel_release.value_or("-"));
  const auto loads = [](const Snapshot& s) { return s.sched_ext ? s.sched_ext->enable_seq : std::nullopt; };
  if (relation == Relation::kSameBoot && loads(before) != loads(after))
    notes.emplace_back("a sched_ext scheduler was loaded in between");
  for (auto& hint : setting_hints(after.host)) notes.push_back(std::move(hint));
  return notes;
}

/// A change of so much from there; infinite from nothing, absent when nothing became of nothing.
std::optional<double> relative_change(double change, double from) {
  if (from != 0) return change / std::abs(from);
  if (change == 0) return std::nullopt;
  return std::copysign(std::numeric_limits<double>::infinity(), change);
}

/// Change of numbers that have not grown as counters.
void measure(Row& row) {
  const auto before = number_of(row.before), after = number_of(row.after);
  if (row.reset || row.change || !before || !after) return;
  row.change = *after - *before;
  row.relative = relative_change(*row.change, *before);
}

class Comparer {
 public:
  Comparer(const Snapshot& before, const Snapshot& after, const CompareOptions& options)
      : before_(before), after_(after), options_(options), growth_(before) {
    result_.seconds = seconds_between(before, after);
    result_.notes = notes_of(before, after);
  }

  Comparison compare() {
    const Snapshot* snapshots[] = {&before_, &after_};
    auto grouping = options_.group;
    grouping.capturers = options_.capturers;
    auto groups = group_threads(snapshots, grouping);
    if (!options_.capturers) note_capturers();
    rename(groups[0], groups[1]);
    std::set<std::string> names;
    for (const auto& side : groups)
      for (const auto& [name, threads] : side) names.insert(name);
    for (const auto& name : names) compare_group(name, groups[0][name], groups[1][name]);
    compare_machine();
    return std::move(result_);
  }

 private:
  void note_capturers() {
    std::set<std::uint32_t> left_out;
    for (const auto* snapshot : {&before_, &after_})
      for (const auto& thread : snapshot->threads)
        if (is_capturer(*snapshot, thread)) left_out.insert(thread.tgid);
    if (left_out.empty()) return;
    std::string list;
    for (const auto tgid : left_out) list += (list.empty() ? "" : ", ") + std::to_string(tgid);
    result_.notes.push_back("left out: what captured (process " + list + ")");
  }
  [[nodiscard]] bool wants(Section section) const {
    return options_.sections.empty() || options_.sections.contains(section);
  }

  /// Gives groups of the first capture their name in the second.
  void rename(Groups& before, Groups& after) {
    std::vector<std::string> only_before, only_after;
    for (const auto& [name, threads] : before)
      if (!after.contains(name)) only_before.push_back(name);
    for (const auto& [name, threads] : after)
      if (!before.contains(name)) only_after.push_back(name);
    result_.renames = find_renames(only_before, only_after);
    for (const auto& rename : result_.renames) {
      auto group = before.extract(rename.before);
      group.key() = rename.after;
      before.insert(std::move(group));
    }
  }

  void compare_group(const std::string& name, Threads before, Threads after) {
    const auto size = [](Threads threads) {
      return threads.empty() ? std::nullopt : std::optional<std::uint64_t>(threads.size());
    };
    result_.groups.push_back({name, size(before), size(after)});
    for (const auto& metric : metrics())
      if (wants(metric.section())) compare_metric(name, metric, before, after);
    if (wants(Section::kDerived))
      for (const auto& metric : derived_metrics()) compare_derived(name, metric, before, after);
    if (wants(Section::kSmaps)) compare_leaves(Section::kSmaps, name, memory_of(before), memory_of(after));
  }

  void compare_metric(const std::string& group, const Metric& metric, Threads before, Threads after) {
    Row row{metric.section(),          group,
            std::string(metric.name),  std::string(unit_of(metric.kind())),
            aggregate(metric, before), aggregate(metric, after)};
    if (!result_.seconds || !metric.is_counter()) return add(std::move(row));
    // Of one boot, totals of other threads are no growth: without any thread of both captures there is none.
    if (const auto growth = growth_.of(metric, after)) grow(row, *growth);
    put(std::move(row));
  }

  /// How much a metric grew between the captures, or what it grew from.
  [[nodiscard]] SumOf growth_in(Threads after, std::uint64_t Growth::*part = &Growth::value) const {
    return [this, after, part](const Metric& metric) -> std::optional<double> {
      const auto growth = growth_.of(metric, after);
      if (!growth || growth->is_reset()) return std::nullopt;
      return static_cast<double>((*growth).*part);
    };
  }

  /// Of one boot, a quotient is that of the time between: of the lives of threads it would hardly move,
  /// whatever happened.
  void compare_derived(const std::string& group, const DerivedMetric& metric, Threads before, Threads after) {
    const auto kind = kind_of(metric);
    const bool of_interval = result_.seconds && kind == DerivedKind::kQuotient && !after.empty();
    Row row{Section::kDerived,        group,
            std::string(metric.name), std::string(metric.unit),
            derive(metric, before),   of_interval ? derive(metric, growth_in(after)) : derive(metric, after)};
    if (result_.seconds && kind == DerivedKind::kTotal) {
      const auto growth = number_of(derive(metric, growth_in(after)));
      const auto from = number_of(derive(metric, growth_in(after, &Growth::from)));
      if (growth && from) set_growth(row, *growth, *from);
    }
    add(std::move(row));
  }

  void set_growth(Row& row, double growth, double from) const {
    row.change = growth;
    row.relative = relative_change(growth, from);
    row.rate_per_second = growth / *result_.seconds;
  }

  void grow(Row& row, const Growth& growth) const {
    row.reset = growth.is_reset();
    row.threads_reset = growth.fallen;
    if (row.reset) return;
    set_growth(row, static_cast<double>(growth.value), static_cast<double>(growth.from));
  }

  /// KiB of the processes in the group, added up, as bytes.
  static Leaves memory_of(Threads threads) {
    std::map<std::string, std::uint64_t> kib;
    for (const auto* thread : threads)
      if (thread->smaps_rollup_kib)
        for (const auto& [name, value] : *thread->smaps_rollup_kib) kib[name] += value;
    Leaves leaves;
    for (const auto& [name, value] : kib) leaves.emplace(name, Derived{static_cast<double>(value) * 1024});
    return leaves;
  }

  Leaves cgroup_leaves_of(const Snapshot& snapshot, const std::string& name) const {
    Leaves leaves;
    for (const auto& [path, stats] : snapshot.cgroup_stats)
      if (flatten_cgroup(path, options_.group.cgroup_flatten) == name) merge_leaves(leaves, leaves_of(stats));
    return leaves;
  }

  void compare_machine() {
    if (wants(Section::kCgroup)) {
      std::set<std::string> names;
      for (const auto* snapshot : {&before_, &after_})
        for (const auto& [path, stats] : snapshot->cgroup_stats)
          names.insert(flatten_cgroup(path, options_.group.cgroup_flatten));
      for (const auto& name : names)
        compare_leaves(Section::kCgroup, name, cgroup_leaves_of(before_, name),
                       cgroup_leaves_of(after_, name));
    }
    if (wants(Section::kPressure))
      compare_leaves(Section::kPressure, "system", leaves_of(before_.pressure), leaves_of(after_.pressure));
    if (wants(Section::kSchedExt))
      compare_leaves(Section::kSchedExt, "system", sched_ext_of(before_), sched_ext_of(after_));
  }

  static Leaves sched_ext_of(const Snapshot& snapshot) {
    return snapshot.sched_ext ? leaves_of(*snapshot.sched_ext) : Leaves{};
  }

  void compare_leaves(Section section, const std::string& group, Leaves before, Leaves after) {
    std::set<std::string> names;
    for (const auto* leaves : {&before, &after})
      for (const auto& [name, leaf] : *leaves) names.insert(name);
    for (const auto& name : names) {
      const auto unit = section == Section::kSmaps ? "bytes" : leaf_kind(name).unit;
      Row row{section, group, name, std::string(unit), before[name], after[name]};
      grow_leaf(row);
      add(std::move(row));
    }
  }

  /// A counter that is not of threads.
  void grow_leaf(Row& row) const {
    const auto* before = std::get_if<Total>(&row.before);
    const auto* after = std::get_if<Total>(&row.after);
    if (!before || !after || !result_.seconds) return;
    row.reset = after->value < before->value;
    if (!row.reset)
      set_growth(row, static_cast<double>(after->value - before->value), static_cast<double>(before->value));
  }

  void add(Row row) {
    measure(row);
    put(std::move(row));
  }
  void put(Row row) {
    if (row.before.index() != 0 || row.after.index() != 0) result_.rows.push_back(std::move(row));
  }

  const Snapshot& before_;
  const Snapshot& after_;
  const CompareOptions& options_;
  GrowthSince growth_;
  Comparison result_;
};

bool matches(const std::string& glob, const std::string& name) {
  return glob.empty() || ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

/// Ascending from the greatest change; then what changed otherwise, then the rest.
double rank(const Row& row) {
  const double size = std::abs(row.relative.value_or(0));
  if (size > 0) return -size;
  return is_changed(row) ? 0 : 1;
}

}  // namespace

Relation relation_of(const Snapshot& before, const Snapshot& after) {
  if (!before.host.boot_id || !after.host.boot_id) return Relation::kUnknown;
  return *before.host.boot_id == *after.host.boot_id ? Relation::kSameBoot : Relation::kDifferentBoots;
}

Comparison compare(const Snapshot& before, const Snapshot& after, const CompareOptions& options) {
  return Comparer(before, after, options).compare();
}

void keep_matching(Comparison& comparison, const std::string& group, const std::string& metric) {
  std::erase_if(comparison.rows,
                [&](const Row& row) { return !matches(group, row.group) || !matches(metric, row.metric); });
  std::erase_if(comparison.groups, [&](const GroupSize& size) { return !matches(group, size.group); });
}

bool is_changed(const Row& row) {
  return row.reset || row.change.value_or(0) != 0 || row.before != row.after;
}

void sort_by_relative_change(std::vector<Row>& rows) {
  std::ranges::sort(rows, {}, [](const Row& row) {
    return std::tuple(rank(row), row.section, std::string_view(row.group), std::string_view(row.metric));
  });
}

}  // namespace ktstr::introspect::ctprof
