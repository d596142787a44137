#include "introspect/ctprof/compare/derived.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {
namespace {

using namespace introspect::ctprof;

/// "`sched` wait_sum", "`stat` field 14", "`taskstats`".
std::string source_text(const Source& source) {
  std::string text = "`" + std::string(enum_name(source.file)) + "`";
  if (source.file == SourceFile::kTaskstats) return text;
  if (!source.key.empty()) return text + " " + std::string(source.key);
  return text + " field " + std::to_string(source.place);
}

std::string row(std::initializer_list<std::string_view> cells) {
  std::string line = "|";
  for (const auto cell : cells) line.append(" ").append(cell).append(cell.empty() ? "|" : " |");
  return line + "\n";
}

std::string captured() {
  std::string text = "| metric | kind | of a group | source | | needs |\n|---|---|---|---|---|---|\n";
  for (const auto& metric : metrics())
    text += row({metric.name, enum_name(metric.kind()), enum_name(metric.rule()), source_text(metric.source),
                 metric.doc, gate_text(metric.source.gate)});
  return text;
}

std::string computed() {
  std::string text = "| metric | unit | |\n|---|---|---|\n";
  for (const auto& metric : derived_metrics()) text += row({metric.name, metric.unit, metric.doc});
  return text;
}

}  // namespace

std::string metrics_page() {
  return "<!-- Made by `ktstr docs` from the table of metrics; edit introspect/ctprof/metrics.cpp instead. "
         "-->\n\n"
         "# Metrics of ktstr ctprof\n\n"
         "What is captured of each thread, from its files in /proc/PID/task/TID and from taskstats, and how "
         "the "
         "threads of a group become one value.\nAbsent is `null`, never 0. `ktstr ctprof metric-list` prints "
         "the "
         "same.\n\n" +
         captured() + "\n## Computed from them\n\n" +
         "Of a group's totals; absent when one of them is, or when it would be divided by 0.\n\n" +
         computed();
}

}  // namespace ktstr::lua
