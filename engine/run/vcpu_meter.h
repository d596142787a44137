// VcpuMeter: what a machine's vCPUs do from one moment to another.
#pragma once

#include <chrono>
#include <optional>

#include "engine/report/vcpu_report.h"
#include "vmm/machine.h"

namespace ktstr::engine {

class VcpuMeter {
 public:
  /// The machine must outlive the meter.
  explicit VcpuMeter(vmm::Machine& machine) : machine_(machine) {}

  void begin();
  /// Since begin(). Absent where the backend counts nothing, and when the machine ended in between.
  [[nodiscard]] std::optional<VcpuStatisticsReport> end();

 private:
  using Clock = std::chrono::steady_clock;

  vmm::Machine& machine_;
  std::optional<vmm::MachineStatistics> before_;
  Clock::time_point begin_;
};

}  // namespace ktstr::engine
