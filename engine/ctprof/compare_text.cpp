#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/printable.h"
#include "engine/ctprof/texts.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

/// A change so great that it is shown in red.
constexpr double kStriking = 0.5;

std::string change_text(const Row& row) {
  if (row.reset) return "reset";
  if (!row.change) return is_changed(row) ? "changed" : "";
  const auto change = (*row.change >= 0 ? "+" : "") + format_number(*row.change, row.unit);
  return row.threads_reset == 0 ? change : fmt::format("{} ({} reset)", change, row.threads_reset);
}

std::string rate_text(const Row& row) {
  return row.rate_per_second ? format_number(*row.rate_per_second, row.unit) + "/s" : "";
}

bool is_striking(const Row& row) {
  return row.reset || (row.relative && std::abs(*row.relative) >= kStriking);
}

std::string size_changes(const std::vector<GroupSize>& groups) {
  std::string text;
  for (const auto& group : groups) {
    if (!group.threads_before)
      text += fmt::format("only after:  {} ({} threads)\n", printable(group.group),
                          group.threads_after.value_or(0));
    if (!group.threads_after)
      text += fmt::format("only before: {} ({} threads)\n", printable(group.group),
                          group.threads_before.value_or(0));
  }
  return text;
}

std::string head(const Comparison& comparison) {
  std::string text;
  if (comparison.seconds) text += fmt::format("{:.3f} s between the captures\n", *comparison.seconds);
  for (const auto& note : comparison.notes) text += "note: " + printable(note) + "\n";
  for (const auto& rename : comparison.renames)
    text += fmt::format("renamed: {} -> {} (score {:.2f})\n", printable(rename.before),
                        printable(rename.after), rename.score);
  return text + size_changes(comparison.groups);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "";
}

std::string value_text(std::monostate) {
  return "";
}
template <class T>
std::string value_text(const T& number_like) {
  return fmt::format("{}", number_like.value);
}
std::string value_text(const Range& range) {
  return fmt::format("{}..{}", range.lowest, range.highest);
}
std::string value_text(const AffinityUnion& affinity) {
  return affinity.cpus;
}

std::string value(const Aggregate& aggregate) {
  return csv_field(std::visit([](const auto& one) { return value_text(one); }, aggregate));
}

}  // namespace

std::string compare_text(const Comparison& comparison, std::size_t limit, const TableStyle& style) {
  const auto count = limit > 0 ? std::min(limit, comparison.rows.size()) : comparison.rows.size();
  const bool rates = comparison.seconds.has_value();
  std::vector<std::string> titles = {"GROUP", "METRIC", "BEFORE", "AFTER", "CHANGE", "RELATIVE"};
  if (rates) titles.emplace_back("RATE");
  Table table(titles, 2, style);
  for (const auto& row : std::span(comparison.rows).first(count)) {
    std::vector<Cell> cells({row.group, row.metric, format_aggregate(row.before, row.unit),
                             format_aggregate(row.after, row.unit), change_text(row),
                             Cell(format_relative(row.relative), is_striking(row))});
    if (rates) cells.emplace_back(rate_text(row));
    table.add(std::move(cells));
  }
  auto text = head(comparison);
  if (count == 0) return text + "nothing differs\n";
  text += table.to_string();
  if (count < comparison.rows.size()) text += fmt::format("{} more rows\n", comparison.rows.size() - count);
  return text;
}

std::string compare_csv(const Comparison& comparison) {
  std::string text = "section,group,metric,unit,before,after,change,relative,rate_per_second,reset\r\n";
  for (const auto& row : comparison.rows)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\r\n", enum_name(row.section), csv_field(row.group),
                        csv_field(row.metric), row.unit, value(row.before), value(row.after),
                        number(row.change), number(row.relative), number(row.rate_per_second), row.reset);
  return text;
}

}  // namespace ktstr::engine
