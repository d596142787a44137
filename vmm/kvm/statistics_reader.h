// VcpuCounters: the hardware's performance counters, of one vCPU's thread while it runs its guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/vcpu_statistics.h"

namespace ktstr::vmm::kvm {

/// One group of events that the kernel counts together or not at all, so that their ratios hold also where
/// they were counted part of the time (perf_event_open(2)).
class VcpuCounters {
 public:
  /// Descriptors that one vCPU's counters take at most.
  static constexpr std::size_t kDescriptors = 4;

  /// Counts from here on, in guest mode only. `thread` is one of this process's. Errors: kUnavailable, in one
  /// line: the host has no such counters, or lets nobody have them (perf_event_paranoid); kIo.
  [[nodiscard]] static Result<VcpuCounters> open(int thread);

  /// What was counted since open(); events that this hardware lacks are absent. Also when the thread has
  /// ended. Errors: kIo; kCorrupt.
  [[nodiscard]] Result<CounterReading> read() const;

 private:
  struct Event {
    Fd fd;
    std::optional<std::uint64_t> CounterReading::*count;
  };
  std::vector<Event> events_;  ///< the first leads the group
};

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
