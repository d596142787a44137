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

  static consteval auto describe() {
    using T = VcpuReport;
    return record(
        "what one vCPU did", field<&T::vcpu>("its number, which is the guest's CPU"),
        field<&T::counters>("what the hardware counted; absent when it did not, see counters_problem"),
        field<&T::kvm>("what KVM counted"));
  }
};

struct VcpuStatisticsReport {
  std::uint64_t interval_ns = 0;
  std::vector<VcpuReport> vcpus;
  vmm::KvmVmStatistics vm;
  std::optional<std::string> counters_problem{};
  std::optional<std::string> kvm_problem{};

  static consteval auto describe() {
    using T = VcpuStatisticsReport;
    return record("what the vCPUs did from the first step's beginning to the last one's end",
                  field<&T::interval_ns>("how long that was, ns"), field<&T::vcpus>("each vCPU's part"),
                  field<&T::vm>("the machine's memory at the end"),
                  field<&T::counters_problem>("why the hardware counted nothing"),
                  field<&T::kvm_problem>("why there is nothing of KVM's"));
  }
};

/// The difference of two readings of one machine, `interval_ns` apart.
[[nodiscard]] VcpuStatisticsReport vcpu_report(const vmm::MachineStatistics& earlier,
                                               const vmm::MachineStatistics& later,
                                               std::uint64_t interval_ns);

/// One line for people, of all vCPUs together; empty when nothing was counted.
[[nodiscard]] std::string vcpus_text(const VcpuStatisticsReport& report);

}  // namespace engine

}  // namespace ktstr
