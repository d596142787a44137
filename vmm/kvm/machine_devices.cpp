#include "vmm/kvm/machine_devices.h"

#include <sys/eventfd.h>

#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

Result<Fd> make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error("eventfd");
  return event;
}

constexpr unsigned kChannelSlot = 1;  // PCI device number
constexpr GuestPhys kChannelBar = kPciWindow;

}  // namespace

Result<std::unique_ptr<IrqfdLine>> IrqfdLine::create(const Vm& vm, std::uint32_t gsi) {
  auto event = KTSTR_TRY(make_event());
  KTSTR_TRY(vm.connect_interrupt(gsi, event.get()));
  return std::unique_ptr<IrqfdLine>(new IrqfdLine(std::move(event)));
}

// A write fails only when 2^64 - 2 of them are not taken yet.
void IrqfdLine::raise() {
  ::eventfd_write(event_.get(), 1);
}

Result<std::unique_ptr<IrqfdMessages>> IrqfdMessages::create(Vm& vm, std::uint32_t first_gsi,
                                                             std::uint16_t vectors) {
  std::unique_ptr<IrqfdMessages> messages(new IrqfdMessages(vm, first_gsi));
  for (std::uint16_t vector = 0; vector < vectors; ++vector) {
    messages->events_.push_back(KTSTR_TRY(make_event()));
    KTSTR_TRY(vm.connect_interrupt(first_gsi + vector, messages->events_.back().get()));
  }
  return messages;
}

void IrqfdMessages::program(std::uint16_t vector, const MsixMessage& message) {
  if (message.masked) return;
  const std::lock_guard lock(mutex_);
  auto routed = vm_.route_message(first_gsi_ + vector, message.address, message.data);
  if (!routed && !failure_) failure_ = std::move(routed.error());
}

void IrqfdMessages::signal(std::uint16_t vector) {
  ::eventfd_write(events_[vector].get(), 1);
}

std::optional<Error> IrqfdMessages::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

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
