// MachineDevices: all devices of one machine, wired to KVM and to the buses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/devices/cmos.h"
#include "vmm/kvm/devices/interrupt.h"
#include "vmm/kvm/devices/pci.h"
#include "vmm/kvm/devices/power.h"
#include "vmm/kvm/devices/serial.h"
#include "vmm/kvm/devices/virtio_console.h"
#include "vmm/kvm/devices/virtio_pci.h"
#include "vmm/kvm/guest_memory.h"
#include "vmm/kvm/vm.h"

namespace ktstr::vmm::kvm {

/// An interrupt of a device through an irqfd: an eventfd's write becomes an interrupt inside KVM.
class IrqfdLine : public InterruptLine {
 public:
  /// Raises `gsi`. Errors: KVM's, kIo.
  [[nodiscard]] static Result<std::unique_ptr<IrqfdLine>> create(const Vm& vm, std::uint32_t gsi);
  void raise() override;

 private:
  explicit IrqfdLine(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

/// One GSI for each vector from `first_gsi` on; its route is what the guest last wrote for it.
class IrqfdMessages : public MessageInterrupts {
 public:
  /// `vm` must outlive it. Errors: KVM's, kIo.
  [[nodiscard]] static Result<std::unique_ptr<IrqfdMessages>> create(Vm& vm, std::uint32_t first_gsi,
                                                                     std::uint16_t vectors);
  void program(std::uint16_t vector, const MsixMessage& message) override;
  void signal(std::uint16_t vector) override;

  /// The first error that KVM had with a route, if any: interrupts may be lost since.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  IrqfdMessages(Vm& vm, std::uint32_t first_gsi) : vm_(vm), first_gsi_(first_gsi) {}

  Vm& vm_;
  const std::uint32_t first_gsi_;
  std::vector<Fd> events_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

/// The ends of what the devices are connected to. The functions are called from vCPU threads.
struct DeviceEnds {
  Serial::Sink console;
  Power::Callback on_power;
  Pvpanic::Callback on_panic;
  Fd channel;  ///< a connected stream socket: the guest agent's port
};

class MachineDevices {
 public:
  /// Everything that a snapshot must keep.
  struct State {
    Serial::State serial;
    Cmos::State cmos;
    PciHost::State pci;
    VirtioPci::State channel_transport;
    VirtioConsole::State channel;
  };

  /// `vm` and `memory` must outlive it. Errors: KVM's, kIo.
  [[nodiscard]] static Result<std::unique_ptr<MachineDevices>> create(Vm& vm, const GuestMemory& memory,
                                                                      DeviceEnds ends);

  [[nodiscard]] const Bus& ports() const { return ports_; }
  [[nodiscard]] const Bus& memory() const { return memory_; }

  /// Once it returns, no device of ours changes the guest's memory or sends an interrupt, as long as no vCPU
  /// runs; until resume().
  void pause() { channel_->pause(); }
  void resume() { channel_->resume(); }

  /// Take it between pause() and resume(), while no vCPU runs.
  [[nodiscard]] State state() const;
  /// Routes the interrupts as in `state`, and sends those that it has pending. Precondition: as state().
  /// Errors: KVM's.
  [[nodiscard]] Status restore(const State& state);

 private:
  MachineDevices(std::unique_ptr<IrqfdLine> serial_line, DeviceEnds& ends)
      : serial_line_(std::move(serial_line)),
        serial_(*serial_line_, std::move(ends.console)),
        pvpanic_(std::move(ends.on_panic)),
        power_(std::move(ends.on_power)) {}
  Status add_channel(Vm& vm, const GuestMemory& memory, Fd channel);
  void fill_buses();

  std::unique_ptr<IrqfdLine> serial_line_;
  Serial serial_;
  Cmos cmos_;
  Pvpanic pvpanic_;
  Power power_;
  PciHost pci_;
  std::unique_ptr<IrqfdMessages> channel_interrupts_;
  std::unique_ptr<VirtioPci> channel_transport_;
  std::unique_ptr<VirtioConsole> channel_;
  Bus ports_, memory_;
};

}  // namespace ktstr::vmm::kvm
