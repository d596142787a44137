#include "engine/ctprof/texts.h"
#include "introspect/ctprof/compare/derived.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

/// "sched: wait_sum", "stat: 14".
std::string source_text(const Source& source) {
  std::string text(enum_name(source.file));
  if (source.file == SourceFile::kTaskstats) return text;
  return text.append(": ").append(source.key.empty() ? std::to_string(source.place)
                                                     : std::string(source.key));
}

}  // namespace

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
