// The command line of a guest's kernel.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// What every backend asks of the kernel (console on ttyS0, an immediate reset after a panic, an init whose
/// parts lie close together ...), then
/// `backends_own`, then the configuration's.
[[nodiscard]] std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own);

/// COMMAND_LINE_SIZE of x86 (arch/x86/include/asm/setup.h), with the terminator: the kernel cuts what is
/// longer.
inline constexpr std::size_t kMostCommandLine = 2048;

/// Whether every backend's command line for this configuration fits. Errors: kInvalidArgument with its
/// length.
[[nodiscard]] Status check_command_line(const MachineConfig& config);

}  // namespace ktstr::vmm
