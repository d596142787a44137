// StatisticsReader: what the vCPUs of one machine did, from the hardware's counters and KVM's statistics.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/kvm/vcpu_counters.h"
#include "vmm/vcpu_statistics.h"

namespace ktstr::vmm::kvm {

/// The counters are opened by the first reading: a machine that nobody asks has none, which would cost it
/// descriptors and time at each entry of the guest. Not thread-safe.
class StatisticsReader {
 public:
  /// The machine's descriptor and its vCPUs, the same ones each time, with their threads running. What can't
  /// be had is absent, with the reason.
  [[nodiscard]] MachineStatistics read(int vm, std::span<const std::unique_ptr<Vcpu>> vcpus);

 private:
  [[nodiscard]] Status open_counters(std::span<const std::unique_ptr<Vcpu>> vcpus);
  [[nodiscard]] Status read_counters(MachineStatistics& statistics) const;

  std::vector<VcpuCounters> counters_;       ///< of all vCPUs or none
  std::optional<Status> counters_opened_{};  ///< whether that went well, once it was tried
};

}  // namespace ktstr::vmm::kvm
