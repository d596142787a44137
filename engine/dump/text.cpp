#include "engine/dump/text.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "engine/base/make_printable.h"
#include "engine/base/nearest.h"
#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

using introspect::DegradedFailureDumpReport;
using introspect::DualFailureDumpReport;
using introspect::FailureDumpReport;

std::string whole_text(const FailureDumpReport& report, const Paint& paint) {
  return cause_text(report, paint) + scheduler_text(report) + cpus_text(report, paint) +
         dsqs_text(report, paint) + tasks_text(report, paint) + events_text(report, paint) +
         programs_text(report, paint) + machine_text(report, paint) + maps_text(report, paint) +
         problems_text(report, paint);
}

/// Several maps may have one name: two copies of a scheduler, while one replaces the other.
Result<std::string> one_map(const FailureDumpReport& report, const std::string& name, const Paint& paint) {
  std::string text;
  for (const auto& map : report.maps)
    if (map.name == name) {
      text += map_text(map, paint, std::numeric_limits<std::size_t>::max());
      if (map.arena) text += allocations_text(report, paint, std::numeric_limits<std::size_t>::max());
    }
  if (!text.empty()) return text;
  std::vector<std::string_view> names;
  for (const auto& map : report.maps) names.push_back(map.name);
  return Error{ErrorCode::kNotFound,
               fmt::format("the dump has no map \"{}\"{}", name, did_you_mean(name, names))};
}

Result<std::string> one_task(const FailureDumpReport& report, std::int32_t pid) {
  for (const auto& task : report.task_enrichments)
    if (task.pid == pid) return task_text(task);
  return Error{ErrorCode::kNotFound, fmt::format("the dump has no task with pid {} (of {} tasks)", pid,
                                                 report.task_enrichments.size())};
}

Result<std::string> report_text(const FailureDumpReport& report, const DumpTextOptions& options) {
  const Paint paint(options.colour);
  if (options.map) return one_map(report, *options.map, paint);
  if (options.task) return one_task(report, *options.task);
  return whole_text(report, paint);
}

Result<std::string> report_text(const DualFailureDumpReport& report, const DumpTextOptions& options) {
  const Paint paint(options.colour);
  std::string text;
  if (report.early)
    text += paint.heading("early") + "\n" + KTSTR_TRY(report_text(*report.early, options)) + "\n";
  else
    text += fmt::format("early: none ({})\n\n", report.early_skipped_reason.value_or("nothing asked for it"));
  return text + paint.heading("late") + "\n" + KTSTR_TRY(report_text(report.late, options));
}

Result<std::string> report_text(const DegradedFailureDumpReport& report, const DumpTextOptions& options) {
  if (options.map || options.task)
    return Error{ErrorCode::kNotFound, "a degraded dump has neither maps nor tasks: " + report.reason};
  auto text = Paint(options.colour).alarm("no dump") + ": " + report.reason + "\n";
  if (report.exit_kind) text += fmt::format("  exit kind {}\n", *report.exit_kind);
  for (std::size_t i = 0; i < report.vcpu_regs.size(); ++i) {
    const auto& registers = report.vcpu_regs[i];
    text += registers ? fmt::format("  vCPU {} stopped at {:#x}\n", i, registers->instruction_pointer)
                      : fmt::format("  vCPU {}: no registers\n", i);
  }
  return text + fmt::format("  given up after {} ms\n", report.elapsed_ms);
}

}  // namespace

Result<std::string> to_text(introspect::FailureDump dump, const DumpTextOptions& options) {
  make_printable(dump);
  return std::visit([&](const auto& report) { return report_text(report, options); }, dump);
}

}  // namespace ktstr::engine
