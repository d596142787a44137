// MachineState: all of a KVM machine at one instant.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kvm/clock_state.h"
#include "vmm/kvm/machine_devices.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/kvm/vcpu_state.h"
#include "vmm/kvm/vm.h"
#include "vmm/ram_copy.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

/// The state of KVM's interrupt controllers but the local APICs, which are the vCPUs': both PICs and the I/O
/// APIC.
using IrqchipState = std::array<kvm_irqchip, 3>;

struct MachineState {
  Topology topology;
  RamTemplate ram;
  ClockState clocks;
  std::vector<VcpuState> vcpus;
  IrqchipState irqchips;
  MachineDevices::State devices;
  PerformanceOptions performance{};  ///< what the guest was told, and what a fork has too
};

/// What state is saved of and restored to, besides memory.
struct MachineParts {
  Vm& vm;
  MachineDevices& devices;
  std::span<const std::unique_ptr<Vcpu>> vcpus;
};

/// Precondition: every vCPU stands at the gate, the devices are paused. Errors: kUnavailable, see
/// save_vcpu(); KVM's; those of RamTemplate::take().
[[nodiscard]] Result<MachineState> save_machine(const MachineParts& parts, const Topology& topology,
                                                const GuestRam& ram);

/// Makes a machine that never ran, of the same topology and with state.ram as its memory, go on from there.
/// Precondition: its devices are paused. Errors: kUnavailable, what this host's KVM refuses; KVM's.
[[nodiscard]] Status restore_machine(const MachineParts& parts, const MachineState& state);

}  // namespace ktstr::vmm::kvm
