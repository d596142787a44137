// Why a machine ended, from everything that was seen of its end.
#pragma once

#include <optional>
#include <string>

#include "vmm/console.h"
#include "vmm/machine.h"
#include "vmm/qemu/process.h"

namespace ktstr::vmm::qemu {

struct EndOfMachine {
  ExitStatus exit;
  std::optional<std::string> shutdown_reason;  ///< QMP's, see Qmp::shutdown_reason()
  ConsoleFindings console;
  bool killed_by_us = false;
  std::optional<int> stop_signal{};  ///< what had stopped QEMU, for which it was ended
};

/// The cause before its consequences: QEMU's own failure, then a panic, then how the process ended. An
/// "Oops: int3" is told by the console's findings alone: whether it is the emulator's fault is for those to
/// judge who can look into the guest's memory.
[[nodiscard]] MachineEvent classify_end(const EndOfMachine& end);

}  // namespace ktstr::vmm::qemu
