// PciDriver: configuration space as arch/x86/pci/direct.c accesses it.
#pragma once

#include <linux/pci_regs.h>

#include <cstdint>
#include <vector>

#include "tests/vmm/kvm/devices/registers.h"
#include "vmm/kvm/devices/pci.h"

namespace ktstr::vmm::kvm::test {

class PciDriver {
 public:
  PciDriver(PciHost& host, unsigned device) : ports_(host), device_(device) {}

  template <class T>
  [[nodiscard]] T read(unsigned reg) const {
    select(reg);
    return ports_.in<T>(4 + reg % 4);
  }
  template <class T>
  void write(unsigned reg, T value) const {
    select(reg);
    ports_.out<T>(4 + reg % 4, value);
  }
  /// Offsets of the capabilities with this id, in the list's order.
  [[nodiscard]] std::vector<unsigned> capabilities(std::uint8_t id) const {
    std::vector<unsigned> found;
    if ((read<std::uint16_t>(PCI_STATUS) & PCI_STATUS_CAP_LIST) == 0) return found;
    unsigned at = read<std::uint8_t>(PCI_CAPABILITY_LIST);
    for (int left = 48; at != 0 && left > 0; --left, at = read<std::uint8_t>(at + PCI_CAP_LIST_NEXT))
      if (read<std::uint8_t>(at) == id) found.push_back(at);
    return found;
  }

 private:
  void select(unsigned reg) const { ports_.out32(0, 0x80000000U | device_ << 11U | (reg & ~3U)); }

  Registers ports_;
  unsigned device_;
};

}  // namespace ktstr::vmm::kvm::test
