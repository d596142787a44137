#include <algorithm>

#include "engine/base/nearest.h"
#include "engine/ctprof/format.h"
#include "engine/ctprof/texts.h"
#include "introspect/ctprof/compare/derived.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

constexpr std::string_view kDefaultColumns[] = {"run_time_ns",   "wait_time_ns",  "cpu_efficiency",
                                                "timeslices",    "voluntary_csw", "nonvoluntary_csw",
                                                "nr_migrations", "majflt"};

/// A metric of the table or a computed one.
struct ColumnMetric {
  const Metric* metric = nullptr;
  const DerivedMetric* derived = nullptr;

  [[nodiscard]] std::string_view name() const { return metric ? metric->name : derived->name; }
  [[nodiscard]] std::string_view unit() const { return metric ? unit_of(metric->kind()) : derived->unit; }
  [[nodiscard]] Aggregate of(Threads threads) const {
    return metric ? aggregate(*metric, threads) : derive(*derived, threads);
  }
};

Result<ColumnMetric> find_column(std::string_view name) {
  if (const auto* metric = find_metric(name)) return ColumnMetric{metric, nullptr};
  const auto derived = derived_metrics();
  const auto found = std::ranges::find(derived, name, &DerivedMetric::name);
  if (found != derived.end()) return ColumnMetric{nullptr, &*found};
  std::vector<std::string_view> names;
  for (const auto& metric : metrics()) names.push_back(metric.name);
  for (const auto& metric : derived) names.push_back(metric.name);
  return Error{ErrorCode::kInvalidArgument, "no metric is called \"" + std::string(name) + "\"" +
                                                did_you_mean(name, names) +
                                                "; \"ktstr ctprof metric-list\" names all"};
}

struct GroupRow {
  std::string name;
  std::size_t threads = 0;
  std::vector<Aggregate> values;
  std::optional<double> rank;
};

}  // namespace

Result<std::string> show_text(const Snapshot& snapshot, const ShowOptions& options, const TableStyle& style) {
  std::vector<ColumnMetric> columns;
  std::vector<std::string> titles = {"GROUP", "THREADS"};
  std::vector<std::string> names = options.metrics;
  if (names.empty()) names.assign(std::begin(kDefaultColumns), std::end(kDefaultColumns));
  for (const auto& name : names) columns.push_back(KTSTR_TRY(find_column(name)));
  const auto by = KTSTR_TRY(find_column(options.by.value_or(names.front())));
  for (const auto& column : columns) titles.emplace_back(column.name());

  const Snapshot* snapshots[] = {&snapshot};
  std::vector<GroupRow> groups;
  const auto groups_by_capture = group_threads(snapshots, options.group);
  for (const auto& [name, threads] : groups_by_capture.front()) {
    GroupRow row{name, threads.size(), {}, number_of(by.of(threads))};
    for (const auto& column : columns) row.values.push_back(column.of(threads));
    groups.push_back(std::move(row));
  }
  std::ranges::stable_sort(groups, [](const GroupRow& a, const GroupRow& b) { return a.rank > b.rank; });
  if (options.limit > 0 && groups.size() > options.limit) groups.resize(options.limit);

  Table table(titles, 1, style);
  for (const auto& group : groups) {
    std::vector<Cell> row = {group.name, std::to_string(group.threads)};
    for (std::size_t i = 0; i < columns.size(); ++i)
      row.emplace_back(format_aggregate(group.values[i], columns[i].unit()));
    table.add(std::move(row));
  }
  return table.to_string();
}

}  // namespace ktstr::engine
