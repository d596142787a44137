#include "engine/report/text_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/printable.h"
#include "engine/base/table.h"
#include "introspect/monitor/counter.h"

namespace ktstr::engine {
namespace {

using introspect::CpuSnapshot;

/// One CPU over the whole series.
struct CpuTotals {
  std::uint64_t samples = 0;  ///< that saw it online
  std::uint64_t offline = 0;  ///< samples that did not
  std::uint64_t running_sum = 0;
  std::uint32_t running_max = 0;
  std::optional<std::uint32_t> dsq_max;
  std::optional<introspect::RqSchedstat> first, last;

  void add(const CpuSnapshot& cpu) {
    if (cpu.offline) return void(++offline);
    ++samples;
    running_sum += cpu.nr_running;
    running_max = std::max(running_max, cpu.nr_running);
    if (cpu.local_dsq_depth) dsq_max = std::max(dsq_max.value_or(0), *cpu.local_dsq_depth);
    if (!cpu.schedstat) return;
    if (!first) first = cpu.schedstat;
    last = cpu.schedstat;
  }
  [[nodiscard]] std::string run_delay() const {
    return first ? time_text(introspect::counter_delta(last->run_delay, first->run_delay)) : "-";
  }
  [[nodiscard]] std::string switches() const {
    return first ? fmt::format("{}", introspect::counter_delta(last->pcount, first->pcount)) : "-";
  }
};

std::vector<CpuTotals> totals_by_cpu(const introspect::SampleSeries& samples) {
  std::vector<CpuTotals> totals;
  for (const auto& sample : samples) {
    totals.resize(std::max(totals.size(), sample.cpus.size()));
    for (std::size_t cpu = 0; cpu < sample.cpus.size(); ++cpu) totals[cpu].add(sample.cpus[cpu]);
  }
  return totals;
}

std::string cpu_table(const introspect::SampleSeries& samples) {
  const auto totals = totals_by_cpu(samples);
  if (totals.empty()) return {};
  Table table({"cpu", "running avg", "max", "local dsq max", "run delay", "switches"}, 1, kIndented);
  for (std::size_t cpu = 0; cpu < totals.size(); ++cpu) {
    const auto& total = totals[cpu];
    const double mean = static_cast<double>(total.running_sum) /
                        static_cast<double>(std::max<std::uint64_t>(1, total.samples));
    const bool seen = total.samples > 0;
    table.add({fmt::format("{}", cpu), seen ? fmt::format("{:.2f}", mean) : "-",
               seen ? fmt::format("{}", total.running_max) : "-", or_dash(total.dsq_max), total.run_delay(),
               total.switches()});
  }
  auto text = table.to_string();
  for (std::size_t cpu = 0; cpu < totals.size(); ++cpu)
    if (const auto& total = totals[cpu]; total.offline > 0)
      text += fmt::format("  cpu{} was offline in {} of {} samples, and is left out of them\n", cpu,
                          total.offline, total.offline + total.samples);
  return text;
}

std::string event_line(const introspect::ScxEventDeltas& events) {
  return fmt::format("  sched_ext: fallback {} ({}/s, burst {}), keep_last {} ({}/s), bypass {}\n",
                     or_dash(number_of(events, "select_cpu_fallback")),
                     or_dash(events.fallback_rate, "{:.1f}"), or_dash(events.max_fallback_burst),
                     or_dash(number_of(events, "dispatch_keep_last")),
                     or_dash(events.keep_last_rate, "{:.1f}"), or_dash(number_of(events, "bypass_activate")));
}

}  // namespace

std::string time_text(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns < 10'000) return fmt::format("{} ns", ns);
  if (ns < 10'000'000) return fmt::format("{:.1f} us", value * 1e-3);
  if (ns < 10'000'000'000) return fmt::format("{:.1f} ms", value * 1e-6);
  return fmt::format("{:.1f} s", value * 1e-9);
}

std::string domains_text(const introspect::MonitorReport& monitor) {
  std::vector<std::pair<std::string, std::vector<std::string>>> levels;
  const auto add = [&](const introspect::SchedDomainSnapshot& domain) {
    const auto name = domain.name.value_or(fmt::format("level {}", domain.level));
    auto level =
        std::find_if(levels.begin(), levels.end(), [&](const auto& known) { return known.first == name; });
    if (level == levels.end()) level = levels.insert(levels.end(), {name, {}});
    auto& spans = level->second;
    if (std::find(spans.begin(), spans.end(), domain.span) == spans.end()) spans.push_back(domain.span);
  };
  const auto has_domains = [](const CpuSnapshot& cpu) { return cpu.sched_domains.has_value(); };
  for (const auto& sample : monitor.samples) {
    if (std::none_of(sample.cpus.begin(), sample.cpus.end(), has_domains)) continue;
    for (const auto& cpu : sample.cpus)
      if (cpu.sched_domains) std::for_each(cpu.sched_domains->begin(), cpu.sched_domains->end(), add);
    break;  // the first that has them
  }
  std::string text;
  for (const auto& [name, spans] : levels)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, fmt::join(spans, " "));
  return printable(text);
}

std::string monitor_text(const introspect::MonitorReport& monitor, const SamplingReport& sampling) {
  const auto& summary = monitor.summary;
  std::string text =
      fmt::format("\n{}: {} samples every {}, {} missed; imbalance max {} avg {}; {} runnable per CPU\n",
                  printable(monitor.verdict.summary), summary.total_samples, time_text(monitor.period_ns),
                  sampling.missed_periods, or_dash(summary.max_imbalance_ratio, "{:.1f}"),
                  or_dash(summary.avg_imbalance_ratio, "{:.2f}"), or_dash(summary.avg_nr_running, "{:.2f}"));
  if (!sampling.slower.empty())
    text += fmt::format("  samples were to take 1 GiB at most: {}\n",
                        printable(fmt::format("{}", fmt::join(sampling.slower, ", "))));
  text += cpu_table(monitor.samples);
  if (summary.event_deltas) text += event_line(*summary.event_deltas);
  if (const auto domains = domains_text(monitor); !domains.empty()) text += "  domains: " + domains + "\n";
  return text;
}

}  // namespace ktstr::engine
