// VirtioDriver: a virtio device on PCI as drivers/virtio/virtio_pci_modern.c drives it.
#pragma once

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <memory>
#include <vector>

#include "tests/vmm/kvm/devices/driver_queue.h"
#include "tests/vmm/kvm/devices/pci_driver.h"
#include "tests/vmm/kvm/devices/recording_interrupts.h"
#include "vmm/kvm/devices/virtio_pci.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm::test {

/// A bus as a Device, for Registers.
struct AddressSpace : Device {
  void read(std::uint64_t address, std::span<std::byte> data) override { bus.read(address, data); }
  void write(std::uint64_t address, std::span<const std::byte> data) override { bus.write(address, data); }
  Bus bus;
};

/// What a virtio device needs around it, and the device. Memory may be another machine's.
struct VirtioMachine {
  explicit VirtioMachine(VirtioDescription description, const GuestMemory& memory)
      : transport(VirtioPci::create(std::move(description), kPciWindow, memory, interrupts).value()) {
    pci.insert(1, transport->function());
    mmio.bus.insert(kPciWindow.value(), VirtioPci::kBarBytes, *transport);
  }
  RecordingInterrupts interrupts;
  PciHost pci;
  AddressSpace mmio;
  std::unique_ptr<VirtioPci> transport;
};

class VirtioDriver {
 public:
  /// Finds the structures.
  explicit VirtioDriver(VirtioMachine& machine)
      : config_space_(machine.pci, 1),
        mmio_(machine.mmio),
        common(structure(VIRTIO_PCI_CAP_COMMON_CFG)),
        isr(structure(VIRTIO_PCI_CAP_ISR_CFG)),
        config(structure(VIRTIO_PCI_CAP_DEVICE_CFG)),
        notify(structure(VIRTIO_PCI_CAP_NOTIFY_CFG)) {}

  /// Up to FEATURES_OK. Gives the status then.
  std::uint8_t negotiate(std::uint64_t features) const {
    common.out8(VIRTIO_PCI_COMMON_STATUS, 0);
    add_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    add_status(VIRTIO_CONFIG_S_DRIVER);
    for (std::uint32_t half = 0; half < 2; ++half) {
      common.out32(VIRTIO_PCI_COMMON_GFSELECT, half);
      common.out32(VIRTIO_PCI_COMMON_GF, static_cast<std::uint32_t>(features >> (32 * half)));
    }
    add_status(VIRTIO_CONFIG_S_FEATURES_OK);
    return status();
  }
  [[nodiscard]] std::uint64_t offered() const {
    common.out32(VIRTIO_PCI_COMMON_DFSELECT, 0);
    const std::uint64_t low = common.in32(VIRTIO_PCI_COMMON_DF);
    common.out32(VIRTIO_PCI_COMMON_DFSELECT, 1);
    return low | std::uint64_t{common.in32(VIRTIO_PCI_COMMON_DF)} << 32U;
  }
  /// MSI-X on, one vector per queue behind that of configuration changes.
  void enable_vectors() const {
    const auto capability = config_space_.capabilities(PCI_CAP_ID_MSIX).at(0);
    const auto count = (config_space_.read<std::uint16_t>(capability + PCI_MSIX_FLAGS) & 0x7ffU) + 1;
    const auto table = Registers(
        mmio_, bar() + (config_space_.read<std::uint32_t>(capability + PCI_MSIX_TABLE) & ~std::uint32_t{7}));
    config_space_.write<std::uint16_t>(capability + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
    for (std::uint32_t vector = 0; vector < count; ++vector) {
      table.out32(16 * vector, 0xfee00000);
      table.out32(16 * vector + 4, 0);
      table.out32(16 * vector + 8, 0x40 + vector);
      table.out32(16 * vector + 12, 0);
    }
    common.out16(VIRTIO_PCI_COMMON_MSIX, 0);
  }
  void set_queue(std::uint16_t index, const VirtqueueLayout& layout) const {
    common.out16(VIRTIO_PCI_COMMON_Q_SELECT, index);
    common.out16(VIRTIO_PCI_COMMON_Q_SIZE, layout.size);
    set_address(VIRTIO_PCI_COMMON_Q_DESCLO, layout.descriptors);
    set_address(VIRTIO_PCI_COMMON_Q_AVAILLO, layout.available);
    set_address(VIRTIO_PCI_COMMON_Q_USEDLO, layout.used);
    common.out16(VIRTIO_PCI_COMMON_Q_MSIX, static_cast<std::uint16_t>(index + 1));
    common.out16(VIRTIO_PCI_COMMON_Q_ENABLE, 1);
  }
  /// All of it: every queue of its maximum size, and DRIVER_OK.
  void start(GuestRam& ram, std::uint64_t features) {
    negotiate(features);
    enable_vectors();
    queues.clear();
    for (std::uint16_t i = 0; i < common.in16(VIRTIO_PCI_COMMON_NUMQ); ++i) {
      common.out16(VIRTIO_PCI_COMMON_Q_SELECT, i);
      queues.emplace_back(ram, common.in16(VIRTIO_PCI_COMMON_Q_SIZE));
      set_queue(i, queues.back().layout());
    }
    add_status(VIRTIO_CONFIG_S_DRIVER_OK);
  }
  void kick(std::uint16_t queue) const { notify.out16(0, queue); }
  void add_status(std::uint8_t bit) const {
    common.out8(VIRTIO_PCI_COMMON_STATUS, static_cast<std::uint8_t>(status() | bit));
  }
  [[nodiscard]] std::uint8_t status() const { return common.in8(VIRTIO_PCI_COMMON_STATUS); }

 private:
  [[nodiscard]] std::uint64_t bar() const { return config_space_.read<std::uint32_t>(PCI_BASE_ADDRESS_0); }
  [[nodiscard]] Registers structure(std::uint8_t type) const {
    for (const auto at : config_space_.capabilities(PCI_CAP_ID_VNDR))
      if (config_space_.read<std::uint8_t>(at + VIRTIO_PCI_CAP_CFG_TYPE) == type)
        return Registers(mmio_, bar() + config_space_.read<std::uint32_t>(at + VIRTIO_PCI_CAP_OFFSET));
    std::abort();
  }
  void set_address(std::uint64_t low_register, GuestPhys address) const {
    common.out32(low_register, static_cast<std::uint32_t>(address.value()));
    common.out32(low_register + 4, static_cast<std::uint32_t>(address.value() >> 32U));
  }

  PciDriver config_space_;
  Device& mmio_;

 public:
  const Registers common, isr, config, notify;
  std::vector<DriverQueue> queues;
};

}  // namespace ktstr::vmm::kvm::test
