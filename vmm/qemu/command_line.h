// The qemu-system-x86_64 command line of a machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vmm/machine.h"
#include "vmm/qemu/machine_plan.h"

namespace ktstr::vmm::qemu {

/// Descriptor numbers in the QEMU process.
struct QemuDescriptors {
  int qmp = -1, gdb = -1, console = -1, channel = -1;  ///< connected stream sockets
  int kernel = -1;                                     ///< a file, opened again through /proc/self/fd
  int initramfs = -1;                                  ///< the same, when QEMU is to load it
  int device_state = -1;                               ///< instead of those: what a snapshot saved
  std::vector<int> ram;                                ///< memfds, one per bank of the plan
};

/// Arguments from argv[0] (`program`) on. The machine starts stopped; one with a device state
/// waits until it is told to load it. `tsc_khz` is the rate of the guest's
/// time stamp counter.
[[nodiscard]] std::vector<std::string> qemu_command_line(const std::string& program,
                                                         const MachineConfig& config, const MachinePlan& plan,
                                                         const QemuDescriptors& descriptors,
                                                         std::uint64_t tsc_khz);

/// The kernel's command line: the backend's own arguments, then the configuration's.
[[nodiscard]] std::string qemu_kernel_command_line(const MachineConfig& config, std::uint64_t tsc_khz);

}  // namespace ktstr::vmm::qemu
