// Watchpoints as x86's debug registers, the same on every vCPU.
#pragma once

#include <linux/kvm.h>

#include <span>

#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// What KVM_SET_GUEST_DEBUG is to be given for `watchpoints` (Intel SDM volume 3, 17.2). Precondition: those
/// of check_watchpoints().
[[nodiscard]] kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints);

}  // namespace ktstr::vmm::kvm
