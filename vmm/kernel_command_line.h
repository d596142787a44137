// The command line of a guest's kernel.
#pragma once

#include <string>
#include <string_view>

#include "vmm/machine.h"

namespace ktstr::vmm {

/// What every backend asks of the kernel (console on ttyS0, an immediate reset after a panic ...), then
/// `backends_own`, then the configuration's.
[[nodiscard]] std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own);

}  // namespace ktstr::vmm
