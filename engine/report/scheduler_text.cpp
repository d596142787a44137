#include "engine/report/text_sections.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/protocol/scheduler_messages.h"
#include "engine/report/printable_report.h"
#include "engine/report/text_sections.h"

namespace ktstr::engine {
namespace {

/// The rest is in the JSON report.
constexpr std::size_t kMostDumpLines = 60;
constexpr std::size_t kMostLogLines = 20;

std::string seconds(const std::optional<std::uint64_t>& ns) {
  return ns ? fmt::format("{:.3f}", static_cast<double>(*ns) * 1e-9) : "-";
}

std::string gap_seconds(std::uint64_t ns) {
  return fmt::format("{:.2f}", static_cast<double>(ns) * 1e-9);
}

/// "step 2 at 5.201 s, first replaced by second".
std::string gap_story(const SchedulerGap& gap) {
  auto text = gap.step == 0 ? std::string("before the first step") : fmt::format("step {}", gap.step);
  text += fmt::format(" at {} s, {}", seconds(gap.begin_ns), gap.former);
  switch (gap.cause) {
    case GapCause::kReplaced:
      return text + (gap.next ? " replaced by " + *gap.next : " replaced");
    case GapCause::kRestarted:
      return text + " restarted";
    case GapCause::kDied:
      return text + (gap.next ? " died, then came " + *gap.next : " died");
    case GapCause::kRefused:
      return text + " had gone for one that did not attach";
  }
  return text;
}

std::string headline(const SchedulerReport& report) {
  const auto name =
      report.ops && *report.ops != report.name ? report.name + " (" + *report.ops + ")" : report.name;
  std::string text = fmt::format("  {}: {}", name, enum_name(report.fate));
  if (report.expected) text += ", as expected";
  text += report.attached_ns ? fmt::format(", from {} s", seconds(report.attached_ns)) : std::string();
  if (report.ended_ns) text += (report.attached_ns ? " to " : ", at ") + seconds(report.ended_ns) + " s";
  if (report.gap_ns) text += fmt::format(", {} after the one before", time_text(*report.gap_ns));
  if (report.watchdog)
    text += fmt::format(", watchdog {} s in place of {} s", seconds(report.watchdog->read_back_ns),
                        seconds(report.watchdog->own_ns));
  if (report.load_cpu_ns && report.load_ns)
    text += fmt::format(", loaded in {} with {} of CPU time", time_text(*report.load_ns),
                        time_text(*report.load_cpu_ns));
  if (report.exit) text += ", " + protocol::exit_text(*report.exit);
  return text + "\n";
}

/// The first `most` lines of a text, each after "  | ".
std::string quoted(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t lines = 0;
  for (; !text.empty() && lines < most; ++lines) {
    const auto end = text.find('\n');
    out += fmt::format("    | {}\n", text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (!text.empty()) out += "    | ...\n";
  return out;
}

std::string exit_text(const SchedulerExitReport& record) {
  std::string text = fmt::format("    exit ({}):", record.source);
  if (record.kind) text += " " + *record.kind;
  if (record.code && *record.code != 0) text += fmt::format(", code {:#x}", *record.code);
  if (record.reason) text += ", " + *record.reason;
  text += "\n";
  if (record.message) text += "    " + *record.message + "\n";
  if (!record.backtrace.empty()) text += fmt::format("    at {}\n", fmt::join(record.backtrace, " < "));
  if (record.dump && !record.dump->empty())
    text += "    the kernel's dump\n" + quoted(*record.dump, kMostDumpLines);
  return text;
}

std::string log_text(const SchedulerReport& report) {
  if (report.log.empty()) return {};
  const auto lines = with_loops_collapsed(report.log);
  const auto shown = std::min(lines.size(), kMostLogLines);
  std::string text = "    its output";
  if (shown < lines.size() || report.log_lines_dropped != 0)
    text += fmt::format(" (the end of {} lines)", report.log.size() + report.log_lines_dropped);
  text += "\n";
  for (std::size_t i = lines.size() - shown; i < lines.size(); ++i)
    text += fmt::format("    | {}\n", lines[i]);
  return text;
}

}  // namespace

std::string gaps_line(const std::vector<SchedulerGap>& gaps) {
  if (gaps.empty()) return {};
  std::uint64_t total_ns = 0;
  for (const auto& gap : gaps) total_ns += gap.duration_ns;
  const auto& longest = *std::ranges::max_element(gaps, {}, &SchedulerGap::duration_ns);
  auto text = fmt::format("  without a scheduler for {} s", gap_seconds(total_ns));
  if (gaps.size() > 1)
    text += fmt::format(" in {} gaps, the longest {} s", gaps.size(), gap_seconds(longest.duration_ns));
  return text + fmt::format(" ({})\n", gap_story(longest));
}

std::string schedulers_text(const std::vector<SchedulerReport>& schedulers) {
  if (schedulers.empty()) return {};
  std::string text = "\nschedulers (s since the machine's start)\n";
  for (const auto& report : schedulers) {
    text += headline(report);
    if (!report.problem) continue;
    if (report.exit_record) text += exit_text(*report.exit_record);
    text += log_text(report);
  }
  return text;
}

}  // namespace ktstr::engine
