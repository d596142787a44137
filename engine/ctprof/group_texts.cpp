#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <span>

#include "engine/base/nearest.h"
#include "engine/ctprof/texts.h"
#include "introspect/ctprof/compare/derived.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

constexpr std::string_view kDefaultColumns[] = {"run_time_ns",   "wait_time_ns",  "cpu_efficiency",
                                                "timeslices",    "voluntary_csw", "nonvoluntary_csw",
                                                "nr_migrations", "majflt"};

constexpr std::string_view kRateColumns[] = {
    "run_time_ns",   "wait_time_ns", "timeslices", "voluntary_csw", "nonvoluntary_csw",
    "nr_migrations", "minflt",       "rchar",      "wchar"};

std::vector<std::string> names_of_columns(const ShowOptions& options,
                                          std::span<const std::string_view> defaults) {
  return options.metrics.empty() ? std::vector<std::string>(defaults.begin(), defaults.end())
                                 : options.metrics;
}

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

/// Rates of one group by metric.
struct GroupRates {
  std::string name;
  std::map<std::string_view, double> rates;
};

Status check_counter(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& metric : metrics())
    if (metric.is_counter()) names.push_back(metric.name);
  if (std::ranges::find(names, name) != names.end()) return ok();
  return Error{ErrorCode::kInvalidArgument,
               "\"" + std::string(name) + "\" is not a metric that has a rate" + did_you_mean(name, names)};
}

std::vector<GroupRates> rates_by_group(const Comparison& comparison) {
  std::vector<GroupRates> groups;  // rows come group by group
  for (const auto& row : comparison.rows) {
    if (groups.empty() || groups.back().name != row.group) groups.push_back({row.group, {}});
    if (row.rate_per_second) groups.back().rates.emplace(find_metric(row.metric)->name, *row.rate_per_second);
  }
  return groups;
}

std::string cell(const GroupRates& group, std::string_view name) {
  const auto rate = group.rates.find(name);
  if (rate == group.rates.end()) return std::string(kAbsent);
  return format_number(rate->second, unit_of(find_metric(name)->kind()));
}

/// "sched: wait_sum", "stat: 14".
std::string source_text(const Source& source) {
  std::string text(enum_name(source.file));
  if (source.file == SourceFile::kTaskstats) return text;
  return text.append(": ").append(source.key.empty() ? std::to_string(source.place)
                                                     : std::string(source.key));
}

}  // namespace

Result<std::string> show_text(const Snapshot& snapshot, const ShowOptions& options, const TableStyle& style) {
  std::vector<ColumnMetric> columns;
  std::vector<std::string> titles = {"GROUP", "THREADS"};
  const auto names = names_of_columns(options, kDefaultColumns);
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

Result<std::string> rates_text(const Snapshot& before, const Snapshot& after, const ShowOptions& options,
                               const TableStyle& style) {
  auto columns = names_of_columns(options, kRateColumns);
  const auto by = options.by.value_or(columns.front());
  if (std::ranges::find(columns, by) == columns.end()) columns.insert(columns.begin(), by);
  for (const auto& column : columns) KTSTR_TRY(check_counter(column));

  const auto comparison = compare(before, after, {options.group, {Section::kPrimary, Section::kDelays}});
  if (!comparison.seconds) return Error{ErrorCode::kUnavailable, "no time passed between the captures"};
  auto groups = rates_by_group(comparison);
  const auto rate_of = [&](const GroupRates& group) {
    const auto rate = group.rates.find(by);
    return rate == group.rates.end() ? -1.0 : rate->second;
  };
  std::ranges::stable_sort(groups, std::greater{}, rate_of);
  if (options.limit > 0 && groups.size() > options.limit) groups.resize(options.limit);

  std::vector<std::string> titles = {"PER SECOND"};
  titles.insert(titles.end(), columns.begin(), columns.end());
  Table table(titles, 1, style);
  for (const auto& group : groups) {
    std::vector<Cell> cells = {group.name};
    for (const auto& column : columns) cells.emplace_back(cell(group, column));
    table.add(std::move(cells));
  }
  return fmt::format("{:.3f} s, {} threads\n", *comparison.seconds, after.threads.size()) +
         table.to_string() + "\n";
}

std::string metric_list_text(const TableStyle& style) {
  Table table({"METRIC", "KIND", "OF A GROUP", "SOURCE", "WHAT", "NEEDS"}, 6, {.colour = style.colour});
  for (const auto& metric : metrics())
    table.add({std::string(metric.name), std::string(enum_name(metric.kind())),
               std::string(enum_name(metric.rule())), source_text(metric.source), std::string(metric.doc),
               std::string(gate_text(metric.source.gate))});
  for (const auto& metric : derived_metrics())
    table.add({std::string(metric.name), "derived " + std::string(metric.unit), "", "",
               std::string(metric.doc), ""});
  return table.to_string();
}

}  // namespace ktstr::engine
