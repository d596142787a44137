#include "engine/report/vcpu_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace ktstr::engine {
namespace {

/// The sum over all vCPUs; absent when one lacks it.
template <class Part>
std::optional<std::uint64_t> sum(const std::vector<VcpuReport>& vcpus, Part part) {
  std::uint64_t total = 0;
  for (const auto& vcpu : vcpus) {
    const std::optional<std::uint64_t> value = part(vcpu);
    if (!value) return std::nullopt;
    total += *value;
  }
  return vcpus.empty() ? std::nullopt : std::optional(total);
}

auto of_kvm(std::optional<std::uint64_t> vmm::KvmVcpuStatistics::*value) {
  return [value](const VcpuReport& vcpu) { return vcpu.kvm.*value; };
}

auto of_counters(std::optional<std::uint64_t> vmm::HardwareCounters::*value) {
  return [value](const VcpuReport& vcpu) { return vcpu.counters ? (*vcpu.counters).*value : std::nullopt; };
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string kvm_text(const VcpuStatisticsReport& report) {
  using Kvm = vmm::KvmVcpuStatistics;
  const auto& vcpus = report.vcpus;
  const auto exits = sum(vcpus, of_kvm(&Kvm::exits));
  if (!exits) return {};
  std::string text = fmt::format("{} exits", *exits);
  if (report.interval_ns != 0)
    text += fmt::format(" ({:.0f} a second)", ratio(*exits, report.interval_ns) * 1e9);
  if (const auto halts = sum(vcpus, of_kvm(&Kvm::halt_exits))) text += fmt::format(", {} halts", *halts);
  const auto polls = sum(vcpus, of_kvm(&Kvm::halt_attempted_poll));
  const auto found = sum(vcpus, of_kvm(&Kvm::halt_successful_poll));
  if (polls && found && *polls != 0)
    text += fmt::format(", {:.0f} % of {} polls found work", 100 * ratio(*found, *polls), *polls);
  if (const auto interrupts = sum(vcpus, of_kvm(&Kvm::irq_injections)))
    text += fmt::format(", {} interrupts", *interrupts);
  return text;
}

std::string counters_text(const std::vector<VcpuReport>& vcpus) {
  using Counters = vmm::HardwareCounters;
  const auto cycles = sum(vcpus, of_counters(&Counters::cycles));
  if (!cycles) return {};
  std::string text = fmt::format("{:.3g} cycles", static_cast<double>(*cycles));
  const auto instructions = sum(vcpus, of_counters(&Counters::instructions));
  if (instructions && *cycles != 0)
    text += fmt::format(", {:.2f} instructions a cycle", ratio(*instructions, *cycles));
  const auto is_scaled = [](const VcpuReport& vcpu) { return vcpu.counters && vcpu.counters->scaled; };
  if (std::any_of(vcpus.begin(), vcpus.end(), is_scaled)) text += " (counted part of the time)";
  return text;
}

}  // namespace

VcpuStatisticsReport vcpu_report(const vmm::MachineStatistics& earlier, const vmm::MachineStatistics& later,
                                 std::uint64_t interval_ns) {
  VcpuStatisticsReport report{.interval_ns = interval_ns,
                              .vcpus = {},
                              .vm = later.vm,
                              .counters_problem = later.counters_problem,
                              .kvm_problem = later.kvm_problem};
  const auto count = std::min(earlier.vcpus.size(), later.vcpus.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto& from = earlier.vcpus[i];
    const auto& to = later.vcpus[i];
    auto& vcpu = report.vcpus.emplace_back();
    vcpu.vcpu = i;
    vcpu.kvm = vmm::added_between(from.kvm, to.kvm);
    if (from.counters && to.counters) vcpu.counters = vmm::counted_between(*from.counters, *to.counters);
  }
  return report;
}

std::string vcpus_text(const VcpuStatisticsReport& report) {
  const auto kvm = kvm_text(report);
  const auto counters = counters_text(report.vcpus);
  if (kvm.empty() && counters.empty()) return {};
  return "\nvCPUs  " + kvm + (kvm.empty() || counters.empty() ? "" : "; ") + counters + "\n";
}

}  // namespace ktstr::engine
