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
  bool emulated = true;  ///< instructions are translated, not run
  bool killed_by_us = false;
};

/// The cause before its consequences: a fault of the emulator, then a panic, then how the process ended.
[[nodiscard]] MachineEvent classify_end(const EndOfMachine& end);

}  // namespace ktstr::vmm::qemu
