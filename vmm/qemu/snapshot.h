// SavedMachine: all that a QEMU machine is at one instant, apart from any process; and its state apart from
// its RAM, through QEMU's migration (docs/devel/migration.rst in QEMU).
#pragma once

#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/machine.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/monitor_text.h"
#include "vmm/qemu/qmp.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm::qemu {

struct SavedMachine {
  MachineConfig config;  ///< its paths may be gone: nothing of them is read again
  MachinePlan plan;
  std::vector<RamRange> ranges;  ///< where the banks lie
  RamTemplate ram;
  Fd device_state;  ///< as save_device_state() gives it
};

/// CPUs, interrupt controllers, clocks, devices and the firmware's memory of a stopped machine, in a memfd
/// of 100 to 400 kB. Left out is the memory that QEMU shares with us (capability x-ignore-shared). The
/// machine stays stopped and may be continued. Errors: kTimeout, kIo, and kUnavailable with QEMU's words.
[[nodiscard]] Result<Fd> save_device_state(Qmp& qmp, Deadline deadline);

/// Another descriptor of that file, standing at its beginning. Errors: kIo.
[[nodiscard]] Result<Fd> reopen_device_state(const Fd& state);

/// Gives that state to a QEMU of the same command line that waits for it (-incoming defer) and has the file
/// as its descriptor `number`. The machine's RAM must be filled before: devices look into it. Errors: as
/// above; kIo when QEMU ends, which it does when it can't take the state.
[[nodiscard]] Status load_device_state(Qmp& qmp, int number, Deadline deadline);

}  // namespace ktstr::vmm::qemu
