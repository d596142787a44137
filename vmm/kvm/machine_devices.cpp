#include "vmm/kvm/machine_devices.h"

#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr unsigned kChannelSlot = 1;  // PCI device number
constexpr GuestPhys kChannelBar = kPciWindow;

}  // namespace

Result<std::unique_ptr<MachineDevices>> MachineDevices::create(Vm& vm, const GuestMemory& memory,
                                                               DeviceEnds ends) {
  auto line = KTSTR_TRY(IrqfdLine::create(vm, kCom1Gsi));
  std::unique_ptr<MachineDevices> devices(new MachineDevices(std::move(line), ends));
  KTSTR_TRY(devices->add_channel(vm, memory, std::move(ends.channel)));
  devices->fill_buses();
  return devices;
}

Status MachineDevices::add_channel(Vm& vm, const GuestMemory& memory, Fd channel) {
  auto description = VirtioConsole::description();
  const auto vectors = static_cast<std::uint16_t>(description.queues + 1);
  channel_interrupts_ = KTSTR_TRY(IrqfdMessages::create(vm, kFirstMsiGsi, vectors));
  channel_transport_ =
      KTSTR_TRY(VirtioPci::create(std::move(description), kChannelBar, memory, *channel_interrupts_));
  KTSTR_TRY(vm.connect_doorbell(channel_transport_->notify_address(), VirtioPci::kNotifyBytes,
                                channel_transport_->kick_fd()));
  channel_ = KTSTR_TRY(VirtioConsole::start(*channel_transport_, std::move(channel)));
  pci_.insert(kChannelSlot, channel_transport_->function());
  return ok();
}

void MachineDevices::fill_buses() {
  ports_.insert(kCmosPort, Cmos::kPorts, cmos_);
  ports_.insert(kCom1Port, Serial::kPorts, serial_);
  ports_.insert(kPvpanicPort, Pvpanic::kPorts, pvpanic_);
  ports_.insert(kSleepControlPort, Power::kPorts, power_);
  ports_.insert(kPciConfigPort, PciHost::kPorts, pci_);
  memory_.insert(kChannelBar.value(), VirtioPci::kBarBytes, *channel_transport_);
}

MachineDevices::State MachineDevices::state() const {
  return {serial_.state(), cmos_.state(), pci_.state(), channel_transport_->state(), channel_->state()};
}

// The functions' configuration before what their capabilities switch: it tells MSI-X whether it is on.
Status MachineDevices::restore(const State& state) {
  serial_.restore(state.serial);
  cmos_.restore(state.cmos);
  pci_.restore(state.pci);
  channel_transport_->restore(state.channel_transport);
  channel_->restore(state.channel);
  if (auto failure = channel_interrupts_->failure()) return std::move(*failure);
  return ok();
}

}  // namespace ktstr::vmm::kvm
