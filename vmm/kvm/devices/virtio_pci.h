// VirtioPci: a virtio device on the PCI bus.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/base/address.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/devices/interrupt.h"
#include "vmm/kvm/devices/msix.h"
#include "vmm/kvm/devices/pci_function.h"
#include "vmm/kvm/devices/virtio_common.h"

namespace ktstr::vmm::kvm {

/// The modern transport (virtio 1.2, 4.1), MSI-X only. As a Device it is the memory of its BAR 0. What the
/// device does is done by another: it waits for kick_fd(), takes lock(), and works on the queues while the
/// device is running(). All queues share one notification address and one event. Thread-safe, except where a
/// lock is asked for.
///
/// The capability for access through configuration space (4.1.4.9) is not there.
class VirtioPci : public Device {
 public:
  static constexpr std::uint32_t kBarBytes = 0x8000;
  static constexpr std::uint64_t kNotifyBytes = 2;  ///< drivers write 16 bits

  /// Everything that a snapshot must keep besides the PciFunction, which is the PciHost's.
  struct State {
    VirtioCommon::State common;
    Msix::State msix;
    std::uint8_t interrupt_status = 0;
    friend bool operator==(const State&, const State&) = default;
  };
  using Lock = std::unique_lock<std::mutex>;

  /// At `bar`, a multiple of kBarBytes below 4 GiB. `memory` and `interrupts` must outlive it. Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<VirtioPci>> create(VirtioDescription description, GuestPhys bar,
                                                                 const GuestMemory& memory,
                                                                 MessageInterrupts& interrupts);

  /// To be inserted into the PciHost.
  [[nodiscard]] PciFunction& function() { return function_; }
  [[nodiscard]] GuestPhys bar() const { return bar_; }
  [[nodiscard]] std::uint16_t vectors() const { return msix_.vectors(); }

  /// Where the guest writes, whatever value, to notify any queue. An ioeventfd of kNotifyBytes here that
  /// signals kick_fd() saves the exit; a write that comes to write() does the same.
  [[nodiscard]] GuestPhys notify_address() const;
  /// An eventfd, signalled when the driver has notified a queue or changed the status. Not blocking.
  [[nodiscard]] int kick_fd() const { return kick_.get(); }
  /// Signals kick_fd().
  void kick() const;

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

  /// Keeps the guest from changing the status and the queues' places. Hold it for short.
  [[nodiscard]] Lock lock() const { return Lock(mutex_); }
  /// These four with lock() held.
  [[nodiscard]] VirtioCommon& common() { return common_; }
  /// The driver has said that it is ready, and the device wants no reset.
  [[nodiscard]] bool running() const { return common_.running(); }
  /// Tells the driver that buffers of `queue` are used.
  void interrupt(std::uint16_t queue);
  /// The driver has broken the rules: DEVICE_NEEDS_RESET (2.1.2), and nothing more until it resets the
  /// device.
  void fail();

  [[nodiscard]] State state() const;
  /// Precondition: `state` is of a device of the same description. Wakes whoever waits for kick_fd().
  void restore(const State& state);

 private:
  VirtioPci(VirtioDescription description, GuestPhys bar, const GuestMemory& memory,
            MessageInterrupts& interrupts, Fd kick);
  void add_capabilities();
  void add_capability(std::uint8_t type, std::uint32_t offset, std::uint32_t bytes);
  void write_common(std::uint64_t offset, std::span<const std::byte> data);
  void read_interrupt_status(std::span<std::byte> data);
  void announce_failure();
  void deliver(std::uint16_t vector, std::uint8_t status_bit);

  const std::vector<std::byte> config_;
  const GuestPhys bar_;
  Fd kick_;
  PciFunction function_;
  Msix msix_;
  mutable std::mutex mutex_;
  VirtioCommon common_;
  std::uint8_t interrupt_status_ = 0;
};

}  // namespace ktstr::vmm::kvm
