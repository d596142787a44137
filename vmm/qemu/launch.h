// Launching a QEMU: everything that it works on is made here and handed over as inherited descriptors.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/guest_ram.h"
#include "vmm/machine.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/process.h"
#include "vmm/qemu/pvh_kernel.h"

namespace ktstr::vmm::qemu {

/// A guest that begins with its kernel's first instruction.
struct BootFiles {
  Fd kernel, initramfs;
  /// Where we put the initramfs; nullopt: QEMU loads it, behind a bzImage that unpacks and moves itself.
  std::optional<InitramfsPlace> place;
};

/// A guest that goes on from what save_device_state() wrote. QEMU reads the descriptor from where it stands.
struct DeviceStateFile {
  Fd file;
};

using Origin = std::variant<BootFiles, DeviceStateFile>;

/// A QEMU that starts up, its machine stopped, and our ends of its streams.
struct LaunchedQemu {
  Fd qmp, gdb, console, channel;
  int device_state = -1;  ///< the descriptor's number in QEMU, when that is the origin
  std::unique_ptr<Process> process;
};

/// The files that `config` names; the kernel's addresses randomized if it says so. Errors: kNotFound, kIo;
/// those of make_pvh_kernel().
[[nodiscard]] Result<BootFiles> open_boot_files(const MachineConfig& config, const MachinePlan& plan);

/// Runs QEMU; returns before it has done anything. `ram` has the plan's banks; the initramfs is put there.
/// Errors: kUnavailable when QEMU is not installed; kIo.
[[nodiscard]] Result<LaunchedQemu> launch_qemu(const MachineConfig& config, const MachinePlan& plan,
                                               const GuestRam& ram, const Origin& origin);

}  // namespace ktstr::vmm::qemu
