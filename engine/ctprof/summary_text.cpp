#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "engine/base/printable.h"
#include "engine/ctprof/texts.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;

std::string or_absent(const std::optional<std::string>& text) {
  return text ? printable(*text) : std::string(kAbsent);
}

std::string host_line(const HostContext& host) {
  return fmt::format(
      "{} on {}, CPUs {}, {} of memory\n", or_absent(host.kernel_release), or_absent(host.cpu_model),
      or_absent(host.cpus_online),
      host.memory_bytes ? format_number(static_cast<double>(*host.memory_bytes), "bytes") : kAbsent);
}

std::string failures_line(const ParseSummary& parse) {
  if (parse.read_failures == 0) return {};
  std::string line = fmt::format("{} files could not be read:", parse.read_failures);
  for (const auto& [file, count] : parse.read_failures_by_file)
    line += fmt::format(" {} {}", printable(file), count);
  line += " (";
  for (const auto& [error, count] : parse.read_failures_by_error)
    line += fmt::format("{}{} {}", line.ends_with('(') ? "" : ", ", printable(error), count);
  return line + ")\n";
}

std::string probe_line(const ProbeSummary& probe) {
  if (probe.jemalloc_detected == 0 && probe.failed == 0) return {};
  auto line = fmt::format("jemalloc: {} of {} processes, {} threads read", probe.jemalloc_detected,
                          probe.tgids_walked, probe.probed_ok);
  if (probe.failed == 0) return line + "\n";
  line += fmt::format(", {} failed:", probe.failed);
  for (const auto& [name, value, doc] : describe<ProbeFailure>.values)
    if (const auto count = probe.outcomes_without_counters.find(std::string(name));
        is_actionable(value) && count != probe.outcomes_without_counters.end())
      line += fmt::format("{} {} {} ({})", line.ends_with(':') ? "" : ",", count->second, name, doc);
  return line + "\n";
}

}  // namespace

std::string summary_text(const Snapshot& snapshot) {
  const auto seconds = static_cast<std::time_t>(snapshot.captured_at_unix_ns / 1'000'000'000);
  std::string text = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC, {} threads in {} cgroups\n", fmt::gmtime(seconds),
                                 snapshot.threads.size(), snapshot.cgroup_stats.size());
  text += host_line(snapshot.host);
  if (snapshot.sched_ext) text += fmt::format("sched_ext: {}\n", or_absent(snapshot.sched_ext->state));
  if (snapshot.parse_summary) {
    text += failures_line(*snapshot.parse_summary);
    if (const auto negative = snapshot.parse_summary->negative_dotted_values; negative > 0)
      text += fmt::format("{} times were negative and are left out\n", negative);
  }
  if (snapshot.probe_summary) text += probe_line(*snapshot.probe_summary);
  for (const auto& hint : setting_hints(snapshot.host)) text += "hint: " + hint + "\n";
  for (const auto& hint : hints(snapshot.parse_summary, snapshot.taskstats_summary, snapshot.probe_summary))
    text += printable(hint) + "\n";
  return text;
}

}  // namespace ktstr::engine
