#include "vmm/kvm/irqchip_state.h"

#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {

Result<IrqchipState> save_irqchips(int vm) {
  IrqchipState state{};
  state[0].chip_id = KVM_IRQCHIP_PIC_MASTER;
  state[1].chip_id = KVM_IRQCHIP_PIC_SLAVE;
  state[2].chip_id = KVM_IRQCHIP_IOAPIC;
  for (auto& chip : state) KTSTR_TRY(kvm_ioctl(vm, KVM_GET_IRQCHIP, "KVM_GET_IRQCHIP", &chip));
  return state;
}

Status restore_irqchips(int vm, const IrqchipState& state) {
  for (const auto& chip : state) KTSTR_TRY(kvm_ioctl(vm, KVM_SET_IRQCHIP, "KVM_SET_IRQCHIP", &chip));
  return ok();
}

}  // namespace ktstr::vmm::kvm
