// The QEMU backend of Machine.
#pragma once

#include <memory>
#include <string>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// Starts QEMU with `config`; the guest's kernel has begun to boot when this returns. Errors: kUnavailable
/// when QEMU is not installed (names the package); kInvalidArgument when no QEMU machine expresses the
/// configuration; kNotFound or kIo for a kernel, initramfs or console log that can't be opened; otherwise
/// QEMU's own words.
[[nodiscard]] Result<std::unique_ptr<Machine>> start_qemu(const MachineConfig& config);

/// The emulator in the directories of `path` (in PATH's notation). Errors: kUnavailable, naming the package
/// to install.
[[nodiscard]] Result<std::string> find_qemu(const std::string& path);

}  // namespace ktstr::vmm
