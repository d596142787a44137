#include "engine/report/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/table.h"
#include "engine/base/utf8.h"
#include "engine/report/printable_report.h"
#include "engine/report/text_sections.h"
#include "vmm/console_line.h"

namespace ktstr::engine {
namespace {

std::string verdict_word(Outcome verdict, const Paint& paint) {
  constexpr std::pair<Look, std::string_view> kWords[] = {
      {kBoldRed, "FAIL"}, {kBoldYellow, "INCONCLUSIVE"}, {kBoldGreen, "PASS"}, {kBoldCyan, "SKIP"}};
  const auto& [look, word] = kWords[static_cast<std::size_t>(verdict)];
  return paint.paint(look, word);
}

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

std::string counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

/// "FAIL hello: the first failure".
std::string verdict_line(const RunReport& report, bool colour) {
  std::string cause;
  if (!report.failures.empty())
    cause = report.failures.front().message;
  else if (report.reason)
    cause = *report.reason;
  return fmt::format("{} {}{}{}\n", verdict_word(report.verdict, Paint(colour)), report.scenario,
                     cause.empty() ? "" : ": ", cause);
}

/// What the machine had of the host, behind a comma each.
std::string performance_text(const vmm::MachinePerformance& had) {
  std::string text;
  if (!had.vcpu_cpus.empty()) text += fmt::format(", pinned to CPUs {}", fmt::join(had.vcpu_cpus, " "));
  if (had.realtime_priority) text += fmt::format(", realtime priority {}", *had.realtime_priority);
  if (had.halt_poll_ns)
    text += ", halt polling " + format_duration(Duration(static_cast<std::int64_t>(*had.halt_poll_ns)));
  if (had.ram_pages != vmm::RamPages::kOrdinary)
    text += fmt::format(", huge pages ({})", enum_name(had.ram_pages));
  if (had.prefaulted) text += ", prefaulted";
  return text;
}

/// Which limits emulation stretched, and that it left alone those that a script states.
std::string emulation_text(const RunReport& report) {
  const auto& limits = report.limits;
  auto names = limits.stretched;
  const auto gap = std::ranges::find(names, "max_scheduler_gap");
  if (gap != names.end() && report.schedulers.empty()) names.erase(gap);
  if (names.empty()) return " (emulated: no limit stretched)";
  return fmt::format(" (emulated: defaults x{:g}: {}{})", limits.emulation_factor, fmt::join(names, ", "),
                     limits.stated.empty() ? "" : "; stated limits as stated");
}

std::string where_line(const RunReport& report) {
  const auto& machine = report.machine;
  std::string text =
      fmt::format("  kernel {}, {} CPUs ({}), {}", report.kernel.release.value_or(report.kernel.version),
                  machine.cpus, machine.topology, format_byte_size(ByteSize{machine.memory_bytes}));
  if (machine.memory_asked_bytes)
    text += fmt::format(" (raised from {})", format_byte_size(ByteSize{*machine.memory_asked_bytes}));
  if (machine.backend) text += ", " + *machine.backend;
  if (machine.origin == MachineOrigin::kForked) text += ", forked";
  if (machine.emulated) text += emulation_text(report);
  if (machine.performance) text += performance_text(*machine.performance);
  return text + "\n";
}

std::string other_failures(const RunReport& report) {
  std::string text;
  const auto failures = shown_failures(report.failures);
  for (std::size_t i = 1; i < failures.size(); ++i) text += "  also: " + failures[i] + "\n";
  if (!report.failures.empty() && report.reason) text += "  also inconclusive: " + *report.reason + "\n";
  for (const auto& check : report.not_judged) text += "  not judged: " + check + "\n";
  for (const auto& fault : report.emulator_faults)
    text += "  the emulator failed and the run was repeated from the start: " + fault + "\n";
  if (report.machine.fork_problem) text += "  fork: " + *report.machine.fork_problem + "\n";
  if (report.machine.console_log_problem)
    text += "  console log: " + *report.machine.console_log_problem + "\n";
  if (report.monitor_problem) text += "  monitor: " + *report.monitor_problem + "\n";
  return text;
}

/// Each with its file, or why there is none.
std::string dumps_text(const RunReport& report) {
  std::string text;
  for (const auto& dump : report.dumps) {
    text += fmt::format("  dump {} at {:.3f} s", dump.name.empty() ? dump.cause : dump.name,
                        seconds(dump.elapsed_ns));
    if (dump.frozen_ns > 0)
      text += fmt::format(", guest stopped for {:.1f} ms", static_cast<double>(dump.frozen_ns) * 1e-6);
    text += ": ";
    text += dump.file ? *dump.file : dump.problem.value_or("not written");
    text += "\n";
  }
  return text;
}

/// Each with its file, or why there is none.
std::string captures_text(const RunReport& report) {
  std::string text;
  for (const auto& capture : report.ctprof_captures)
    text += fmt::format("  ctprof {} at {:.3f} s (step {}), {} in {:.1f} ms: {}\n", capture.tag,
                        seconds(capture.elapsed_ns), capture.step, counted(capture.threads, "thread"),
                        static_cast<double>(capture.took_ns) * 1e-6,
                        capture.file ? *capture.file : capture.problem.value_or("not written"));
  return text;
}

/// Loops read many times; a screen shows the beginning.
constexpr std::size_t kMostReadings = 20;

std::string map_readings_text(const RunReport& report) {
  const auto& readings = report.map_readings;
  std::string text;
  for (std::size_t i = 0; i < std::min(readings.size(), kMostReadings); ++i) {
    const auto& reading = readings[i];
    text += fmt::format("  {}{} {} = {} at {:.3f} s (step {}, map {})\n",
                        reading.name ? *reading.name + ": " : "", reading.map, reading.variable,
                        introspect::to_text(reading.value, 1), seconds(reading.elapsed_ns), reading.step,
                        reading.map_id);
  }
  if (readings.size() > kMostReadings)
    text += fmt::format("  ... and {} readings more\n", readings.size() - kMostReadings);
  return text;
}

/// The kernel's lines have less than 1 KB. Programs of the guest write what they like.
constexpr std::size_t kLongestConsoleLine = 1000;

std::string console_text(const RunReport& report) {
  const auto lines = vmm::without_harmless_lines(report.console_tail.value_or(""));
  if (lines.empty()) return {};
  std::string text = "\nconsole\n";
  std::string_view rest = lines;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    text += fmt::format("  | {}\n", cut_text(std::string(rest.substr(0, end)), kLongestConsoleLine));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return text;
}

std::string time_or_dash(const std::optional<std::uint64_t>& ns) {
  return ns ? time_text(*ns) : "-";
}

/// "4", or "4 (1 reported)".
std::string workers_of(const GroupSummary& group) {
  if (group.reported == group.workers) return fmt::format("{}", group.workers);
  return fmt::format("{} ({} reported)", group.workers, group.reported);
}

std::string workers_text(const RunReport& report) {
  if (report.groups.empty()) return {};
  Table table(
      {"cgroup", "work", "workers", "work units", "cpu %", "spread", "longest gap", "migrations", "p99 wake"},
      2, kIndented);
  for (const auto& group : report.groups)
    table.add({group.cgroup, group.work, workers_of(group), or_dash(group.work_units),
               or_dash(group.cpu_pct, "{:.1f}"), or_dash(group.spread_pct, "{:.1f}"),
               time_or_dash(group.longest_gap_ns), or_dash(group.migrations),
               time_or_dash(group.p99_wake_ns)});
  return "\nworkers\n" + table.to_string();
}

std::string event_text(const StimulusEvent& event) {
  std::string target;
  for (const auto& part : {event.cgroup, event.scheduler, event.map, event.variable})
    if (part) target += " " + *part;
  return fmt::format("  {:8.3f}  {:<7} {}{} ({}, {})\n", seconds(event.offset_ns),
                     event.step == 0 ? "set-up" : fmt::format("step {}", event.step), event.op, target,
                     counted(event.cgroups, "cgroup"), counted(event.workers, "worker"));
}

std::string step_text(const StepReport& step) {
  std::string text = fmt::format("step {}", step.step);
  if (!step.hold_start_ns)
    return fmt::format("  {:8.3f}  {:<7} broke off before its hold\n", seconds(step.start_ns), text);
  std::string hold = step.end_ns ? fmt::format("hold {:.3f} s", seconds(*step.end_ns - *step.hold_start_ns))
                                 : "hold, broken off";
  if (step.turns != 1) hold += fmt::format(", {} turns", step.turns);
  return fmt::format("  {:8.3f}  {:<7} {}\n", seconds(*step.hold_start_ns), text, hold);
}

/// Loops repeat their ops many times; a screen shows the beginning.
constexpr std::size_t kMostEventsOfAStep = 12;

/// How many; the report has their pids.
std::string cgroup_procs_text(const CgroupProcsReport& procs) {
  std::vector<std::string> counts;
  for (const auto& [cgroup, pids] : procs.cgroups)
    counts.push_back(fmt::format("{} {}", cgroup, pids.size()));
  return fmt::format("  {:8.3f}  processes at \"{}\": {}\n", seconds(procs.elapsed_ns), procs.tag,
                     counts.empty() ? "no cgroups" : fmt::format("{}", fmt::join(counts, ", ")));
}

std::string timeline_text(const Timeline& timeline) {
  if (timeline.events.empty() && timeline.steps.empty()) return {};
  std::string text = "\ntimeline (s since the machine's start)\n";
  const auto add_events = [&](std::uint32_t step) {
    std::size_t count = 0;
    for (const auto& event : timeline.events)
      if (event.step == step && ++count <= kMostEventsOfAStep) text += event_text(event);
    if (count > kMostEventsOfAStep)
      text += fmt::format("            ... and {} ops more\n", count - kMostEventsOfAStep);
  };
  add_events(0);
  for (const auto& step : timeline.steps) {
    add_events(step.step);
    text += step_text(step);
  }
  for (const auto& procs : timeline.cgroup_procs) text += cgroup_procs_text(procs);
  return text;
}

std::string timings_line(const RunReport& report) {
  const auto& timings = report.timings;
  const auto part = [](std::string_view name, const std::optional<std::uint64_t>& ns) {
    return ns ? fmt::format("{} {:.2f} s, ", name, seconds(*ns)) : std::string();
  };
  return fmt::format("\ntime  {}hold {:.2f} s, own {:.2f} s ({}{}{}{}{}{}total {:.2f} s)\n",
                     part(report.machine.origin == MachineOrigin::kForked ? "fork" : "boot", timings.boot_ns),
                     seconds(timings.hold_ns), seconds(timings.own_ns), part("prepare", timings.prepare_ns),
                     part("snapshot", timings.snapshot_ns), part("attach", timings.attach_ns),
                     part("set-up", timings.setup_ns), part("collect", timings.collect_ns),
                     part("shutdown", timings.shutdown_ns), seconds(timings.total_ns));
}

/// When, by which ktstr, and where the run was made, as far as it is known.
std::string origin_line(const RunReport& report) {
  std::vector<std::string> parts;
  if (report.started_at) parts.push_back("started " + *report.started_at);
  if (report.ktstr)
    parts.push_back("ktstr " + report.ktstr->version +
                    (report.ktstr->commit ? " (" + *report.ktstr->commit + ")" : ""));
  if (report.host)
    parts.push_back(fmt::format("host {}, {}", report.host->cpu_model.value_or("of unknown CPU model"),
                                counted(report.host->cpus, "CPU")));
  return parts.empty() ? "" : fmt::format("run  {}\n", fmt::join(parts, ", "));
}

}  // namespace

std::string to_text(const RunReport& whole, const TextOptions& options) {
  const auto report = printable_report(whole);
  std::string text = verdict_line(report, options.colour) + where_line(report) +
                     gaps_line(report.scheduler_gaps) + other_failures(report);
  text += schedulers_text(report.schedulers);
  text += map_readings_text(report);
  text += dumps_text(report);
  text += captures_text(report);
  text += console_text(report);
  text += workers_text(report);
  if (whole.monitor) text += monitor_text(*whole.monitor, report.sampling);
  text += timeline_text(report.timeline);
  if (report.vcpu_statistics) text += vcpus_text(*report.vcpu_statistics);
  text += timings_line(report);
  text += origin_line(report) + "replay  " + report.replay + "\n";
  return text;
}

}  // namespace ktstr::engine
