// ClockState: what time it is for a guest: its kvm-clock, its vCPUs' time stamp counters and their timers.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// One vCPU's clock.
struct VcpuClock {
  std::optional<std::uint64_t> tsc_offset;  ///< to the host's TSC; where KVM tells it (Linux 5.16)
  std::uint64_t tsc = 0;
  std::uint64_t tsc_deadline = 0;  ///< when the local APIC's timer fires, in the guest's TSC; 0: never
};

struct ClockState {
  std::uint64_t host_tsc = 0;  ///< when this was taken
  std::uint64_t kvmclock_ns = 0;
  std::vector<VcpuClock> vcpus;
};

/// Whether the MSR is a part of ClockState.
[[nodiscard]] bool is_clock_msr(std::uint32_t index);

/// Precondition: the vCPUs' threads stand at the gate. To be taken before the local APICs' state: a timer
/// that fires in between fires twice, not never. Errors: KVM's.
[[nodiscard]] Result<ClockState> save_clocks(int vm, std::span<const int> vcpus);

/// The guest's time goes on from `state`, whatever time has passed on this host, whose TSC has counted on
/// since. Precondition: the vCPUs' other state is restored, and they never ran. Errors: KVM's.
[[nodiscard]] Status restore_clocks(int vm, std::span<const int> vcpus, const ClockState& state);

}  // namespace ktstr::vmm::kvm
