#include "engine/report/ktap.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/printable.h"
#include "engine/report/printable_report.h"

namespace ktstr::engine {
namespace {

/// A test's description must not hold '#', which begins a directive, nor a line break.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '#' || c == '\n' || c == '\t'; }, ' ');
  return printable(text);
}

/// Each line of the text as a diagnostic of its own.
void add_diagnostic(std::string& out, std::string_view text) {
  if (!text.empty()) out += "# " + printable_lines(text, "# ") + "\n";
}

void add_scheduler(std::string& out, const SchedulerReport& scheduler) {
  add_diagnostic(out, fmt::format("scheduler {}: {}{}", scheduler.name, enum_name(scheduler.fate),
                                  scheduler.expected ? ", as expected: " + *scheduler.problem : ""));
  if (!scheduler.problem) return;
  for (const auto& line : with_loops_collapsed(scheduler.log))
    add_diagnostic(out, scheduler.name + ": " + line);
}

}  // namespace

std::string ktap_plan(std::size_t tests) {
  return fmt::format("KTAP version 1\n1..{}\n", tests);
}

std::string ktap_test(std::size_t number, const RunReport& report) {
  std::string out;
  for (const auto& message : shown_failures(report.failures)) add_diagnostic(out, message);
  for (const auto& scheduler : report.schedulers) add_scheduler(out, scheduler);
  for (const auto& fault : report.emulator_faults)
    add_diagnostic(out, "repeated, the emulator failed: " + fault);
  const auto name = one_line(report.scenario);
  switch (report.verdict) {
    case Outcome::kPass:
      return out + fmt::format("ok {} {}\n", number, name);
    case Outcome::kSkip:
      return out + fmt::format("ok {} {} # SKIP {}\n", number, name, one_line(report.reason.value_or("")));
    case Outcome::kInconclusive:
      add_diagnostic(out, "inconclusive: " + report.reason.value_or(""));
      [[fallthrough]];
    case Outcome::kFail:
      break;
  }
  return out + fmt::format("not ok {} {}\n", number, name);
}

std::string ktap_error(std::size_t number, const std::string& name, std::string_view why) {
  std::string out;
  add_diagnostic(out, why);
  return out + fmt::format("not ok {} {}\n", number, one_line(name));
}

}  // namespace ktstr::engine
