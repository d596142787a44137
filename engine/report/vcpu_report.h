// VcpuStatisticsReport: what the machine's vCPUs did while the scenario's steps ran, as the host counted it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "vmm/vcpu_statistics.h"

namespace ktstr {
namespace engine {

struct VcpuReport {
  std::uint64_t vcpu = 0;
  std::optional<vmm::HardwareCounters> counters{};
  vmm::KvmVcpuStatistics kvm;
};

struct VcpuStatisticsReport {
  std::uint64_t interval_ns = 0;
  std::vector<VcpuReport> vcpus;
  vmm::KvmVmStatistics vm;
  std::optional<std::string> counters_problem{};
  std::optional<std::string> kvm_problem{};
};

/// The difference of two readings of one machine, `interval_ns` apart.
[[nodiscard]] VcpuStatisticsReport vcpu_report(const vmm::MachineStatistics& earlier,
                                               const vmm::MachineStatistics& later,
                                               std::uint64_t interval_ns);

/// One line for people, of all vCPUs together; empty when nothing was counted.
[[nodiscard]] std::string vcpus_text(const VcpuStatisticsReport& report);

}  // namespace engine

// clang-format off
template <> inline constexpr auto describe<engine::VcpuReport> = record<engine::VcpuReport>("VcpuReport", "what one vCPU did",
    field("vcpu", &engine::VcpuReport::vcpu, "its number, which is the guest's CPU"),
    field("counters", &engine::VcpuReport::counters, "what the hardware counted; absent when it did not, see counters_problem"),
    field("kvm", &engine::VcpuReport::kvm, "what KVM counted"));
template <> inline constexpr auto describe<engine::VcpuStatisticsReport> = record<engine::VcpuStatisticsReport>("VcpuStatisticsReport", "what the vCPUs did from the first step's beginning to the last one's end",
    field("interval_ns", &engine::VcpuStatisticsReport::interval_ns, "how long that was, ns"),
    field("vcpus", &engine::VcpuStatisticsReport::vcpus, "each vCPU's part"),
    field("vm", &engine::VcpuStatisticsReport::vm, "the machine's memory at the end"),
    field("counters_problem", &engine::VcpuStatisticsReport::counters_problem, "why the hardware counted nothing"),
    field("kvm_problem", &engine::VcpuStatisticsReport::kvm_problem, "why there is nothing of KVM's"));
// clang-format on

}  // namespace ktstr
