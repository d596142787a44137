#include "vmm/kvm/kvm_snapshot.h"

#include "engine/base/check.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

std::vector<int> descriptors_of(std::span<const std::unique_ptr<Vcpu>> vcpus) {
  std::vector<int> descriptors;
  for (const auto& vcpu : vcpus) descriptors.push_back(vcpu->fd());
  return descriptors;
}

Result<std::vector<VcpuState>> save_vcpus(std::span<const int> vcpus) {
  const auto kvm = KTSTR_TRY(Kvm::open());
  const auto msrs = KTSTR_TRY(kvm.msr_indices());
  std::vector<VcpuState> states;
  for (const int vcpu : vcpus) states.push_back(KTSTR_TRY(save_vcpu(kvm, msrs, vcpu)));
  return states;
}

Result<IrqchipState> save_irqchips(int vm) {
  IrqchipState state{};
  state[0].chip_id = KVM_IRQCHIP_PIC_MASTER;
  state[1].chip_id = KVM_IRQCHIP_PIC_SLAVE;
  state[2].chip_id = KVM_IRQCHIP_IOAPIC;
  for (auto& chip : state) KTSTR_TRY(kvm_ioctl(vm, KVM_GET_IRQCHIP, "KVM_GET_IRQCHIP", &chip));
  return state;
}

/// Sends what is pending, so the local APICs must be as they are to be.
Status restore_irqchips(int vm, const IrqchipState& state) {
  for (const auto& chip : state) KTSTR_TRY(kvm_ioctl(vm, KVM_SET_IRQCHIP, "KVM_SET_IRQCHIP", &chip));
  return ok();
}

}  // namespace

// Memory last: KVM writes to it when it is asked for the state of some of what is there for the guest.
Result<MachineState> save_machine(const MachineParts& parts, const Topology& topology, const GuestRam& ram) {
  const auto descriptors = descriptors_of(parts.vcpus);
  auto clocks = KTSTR_TRY(save_clocks(parts.vm.fd(), descriptors));
  auto vcpus = KTSTR_TRY(save_vcpus(descriptors));
  const auto irqchips = KTSTR_TRY(save_irqchips(parts.vm.fd()));
  auto memory = KTSTR_TRY(RamTemplate::take(ram));
  return MachineState{topology,         std::move(memory), std::move(clocks),
                      std::move(vcpus), irqchips,          parts.devices.state()};
}

Status restore_machine(const MachineParts& parts, const MachineState& state) {
  KTSTR_CHECK(parts.vcpus.size() == state.vcpus.size());
  const auto descriptors = descriptors_of(parts.vcpus);
  for (std::size_t i = 0; i < descriptors.size(); ++i)
    KTSTR_TRY(restore_vcpu(descriptors[i], state.vcpus[i]));
  KTSTR_TRY(restore_irqchips(parts.vm.fd(), state.irqchips));
  KTSTR_TRY(parts.devices.restore(state.devices));
  return restore_clocks(parts.vm.fd(), descriptors, state.clocks);
}

}  // namespace ktstr::vmm::kvm
