#include <fmt/format.h>

#include <algorithm>

#include "engine/base/table.h"
#include "engine/dump/sections.h"

namespace ktstr::engine {
namespace {

using introspect::FailureDumpReport;

std::string ms(std::uint64_t ns) {
  return fmt::format("{:.0f}", static_cast<double>(ns) * 1e-6);
}

std::string cpu_times(const FailureDumpReport& report) {
  if (report.per_cpu_time.empty()) return {};
  Table table({"cpu", "user ms", "system ms", "irq ms", "softirq ms", "iowait ms", "idle ms", "interrupts"},
              1, kIndented);
  for (const auto& cpu : report.per_cpu_time)
    table.add({std::to_string(cpu.cpu), ms(cpu.cpustat_user_ns + cpu.cpustat_nice_ns),
               ms(cpu.cpustat_system_ns), ms(cpu.cpustat_irq_ns), ms(cpu.cpustat_softirq_ns),
               ms(cpu.cpustat_iowait_ns), ms(cpu.cpustat_idle_ns), std::to_string(cpu.irqs_sum)});
  return table.to_string();
}

std::string total_us(const std::optional<introspect::PsiHalf>& half) {
  return half ? std::to_string(half->total_usec) : "-";
}

void add_pressure(Table& table, const std::string& name, const introspect::PsiStat& psi) {
  table.add({name, total_us(psi.cpu.some), total_us(psi.memory.some), total_us(psi.memory.full),
             total_us(psi.io.some), psi.irq ? total_us(psi.irq->full) : "-"});
}

std::string pressure(const FailureDumpReport& report) {
  if (!report.system_psi && report.cgroup_psi.empty()) return {};
  Table table({"stalled us", "cpu", "memory some", "memory full", "io", "irq"}, 1, kIndented);
  if (report.system_psi) add_pressure(table, "system", *report.system_psi);
  for (const auto& cgroup : report.cgroup_psi) add_pressure(table, cgroup.path, cgroup.psi);
  return table.to_string();
}

std::string numa(const FailureDumpReport& report) {
  if (report.per_node_numa.empty())
    return report.per_node_numa_unavailable ? "  NUMA: " + *report.per_node_numa_unavailable + "\n" : "";
  Table table({"node", "hit", "miss", "foreign", "interleave", "local", "other"}, 1, kIndented);
  for (const auto& node : report.per_node_numa)
    table.add({std::to_string(node.node), std::to_string(node.numa_hit), std::to_string(node.numa_miss),
               std::to_string(node.numa_foreign), std::to_string(node.numa_interleave_hit),
               std::to_string(node.numa_local), std::to_string(node.numa_other)});
  return table.to_string();
}

/// " verified_insns=345": of program `i`, which is the same one in both lists unless one of them has a gap;
/// then of the only one of that name.
std::string verified_text(const FailureDumpReport& report, std::size_t i) {
  const auto& name = report.prog_runtime_stats[i].name;
  const auto& verified = report.prog_verifier_stats;
  const auto text = [](const introspect::ProgVerifierStats& program) {
    const auto& count = program.verified_insns;
    return count ? fmt::format(" verified_insns={}", *count) : std::string();
  };
  if (i < verified.size() && verified[i].name == name) return text(verified[i]);
  const bool one = std::ranges::count(verified, name, &introspect::ProgVerifierStats::name) == 1;
  return one ? text(*std::ranges::find(verified, name, &introspect::ProgVerifierStats::name)) : "";
}

}  // namespace

std::string events_text(const FailureDumpReport& report, const Paint& paint) {
  const auto lines = introspect::render_event_timeline(report.event_counter_timeline);
  return lines.empty() ? "" : "\n" + paint.heading("sched_ext events") + "\n" + lines;
}

std::string programs_text(const FailureDumpReport& report, const Paint& paint) {
  const auto heading = "\n" + paint.heading("programs") + "\n";
  if (report.prog_runtime_stats.empty())
    return report.prog_runtime_stats_unavailable
               ? heading + "  " + *report.prog_runtime_stats_unavailable + "\n"
               : "";
  std::string text = heading;
  for (std::size_t i = 0; i < report.prog_runtime_stats.size(); ++i)
    text += "  " + report.prog_runtime_stats[i].to_text() + verified_text(report, i) + "\n";
  return text;
}

std::string machine_text(const FailureDumpReport& report, const Paint& paint) {
  const auto text = cpu_times(report) + pressure(report) + numa(report);
  return text.empty() ? "" : "\n" + paint.heading("machine") + "\n" + text;
}

std::string problems_text(const FailureDumpReport& report, const Paint& paint) {
  std::string lines;
  for (const auto& problem : report.problems)  // what a kernel does not have is told once, with the scheduler
    if (!problem.starts_with("sched_ext: ") || !is_without_sched_ext(report)) lines += "  " + problem + "\n";
  return lines.empty() ? lines : "\n" + paint.heading("not read") + "\n" + lines;
}

}  // namespace ktstr::engine
