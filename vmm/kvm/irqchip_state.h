// The state of KVM's interrupt controllers but the local APICs, which are the vCPUs'.
#pragma once

#include <linux/kvm.h>

#include <array>

#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// Both PICs and the I/O APIC.
using IrqchipState = std::array<kvm_irqchip, 3>;

/// Errors: KVM's.
[[nodiscard]] Result<IrqchipState> save_irqchips(int vm);
/// Sends what is pending, so the local APICs must be as they are to be. Errors: KVM's.
[[nodiscard]] Status restore_irqchips(int vm, const IrqchipState& state);

}  // namespace ktstr::vmm::kvm
