// StatisticsReader: what the vCPUs of one machine did, from the hardware's counters and KVM's statistics.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/kvm/vcpu_counters.h"
#include "vmm/vcpu_statistics.h"

namespace ktstr::vmm::kvm {

/// The counters are opened by the first reading: a machine that nobody asks has none, which would cost it
/// descriptors and time at each entry of the guest. Not thread-safe.
class StatisticsReader {
 public:
  /// Opens KVM's statistics of a machine. Precondition: its vCPUs do not run yet (open_statistics()).
  void open(int vm, std::span<const std::unique_ptr<Vcpu>> vcpus);

  /// Of those vCPUs, with their threads running. What can't be had is absent, with the reason.
  [[nodiscard]] MachineStatistics read(std::span<const std::unique_ptr<Vcpu>> vcpus);

 private:
  [[nodiscard]] Status open_kvm(int vm, std::span<const std::unique_ptr<Vcpu>> vcpus);
  [[nodiscard]] Status read_kvm(MachineStatistics& statistics) const;
  [[nodiscard]] Status open_counters(std::span<const std::unique_ptr<Vcpu>> vcpus);
  [[nodiscard]] Status read_counters(MachineStatistics& statistics) const;

  Status kvm_opened_ = Error{ErrorCode::kUnavailable, "not opened"};
  Fd vm_file_;
  std::vector<Fd> vcpu_files_;               ///< one for each vCPU
  std::vector<VcpuCounters> counters_;       ///< of all vCPUs or none
  std::optional<Status> counters_opened_{};  ///< whether that went well, once it was tried
};

}  // namespace ktstr::vmm::kvm
