// VcpuCounters: the hardware's performance counters, of one vCPU's thread while it runs its guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
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

}  // namespace ktstr::vmm::kvm
