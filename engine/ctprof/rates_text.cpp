#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "engine/base/nearest.h"
#include "engine/ctprof/format.h"
#include "engine/ctprof/texts.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

constexpr std::string_view kColumns[] = {
    "run_time_ns",   "wait_time_ns", "timeslices", "voluntary_csw", "nonvoluntary_csw",
    "nr_migrations", "minflt",       "rchar",      "wchar"};

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

}  // namespace

Result<std::string> rates_text(const Snapshot& before, const Snapshot& after, const ShowOptions& options,
                               const TableStyle& style) {
  std::vector<std::string> columns = options.metrics;
  if (columns.empty()) columns.assign(std::begin(kColumns), std::end(kColumns));
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

}  // namespace ktstr::engine
