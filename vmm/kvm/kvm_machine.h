// The KVM backend of Machine: a virtual machine in this process.
#pragma once

#include <memory>

#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// Makes a machine on /dev/kvm and starts it; the guest's kernel has begun to boot when this returns. Errors:
/// kUnavailable when KVM is not there or lacks something; kInvalidArgument when no machine of ours expresses
/// the configuration; kNotFound, kIo or kCorrupt for a kernel, initramfs or console log that can't be used.
[[nodiscard]] Result<std::unique_ptr<Machine>> start_kvm(const MachineConfig& config);

}  // namespace ktstr::vmm
