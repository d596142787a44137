#include "vmm/kvm/devices/msix.h"

#include <doctest/doctest.h>

#include "tests/vmm/kvm/devices/pci_driver.h"
#include "tests/vmm/kvm/devices/recording_interrupts.h"

namespace ktstr::vmm::kvm {
namespace {

/// The table as a Device, for Registers.
struct Table : Device {
  explicit Table(Msix& owner) : msix(owner) {}
  void read(std::uint64_t offset, std::span<std::byte> data) override { msix.read_table(offset, data); }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    msix.write_table(offset, data);
  }
  Msix& msix;
};

/// A function with three vectors, and its driver.
struct Function {
  Function() {
    msix.add_capability(function, 2, 0x4000, 0x5000);
    host.insert(1, function);
    capability = device.capabilities(PCI_CAP_ID_MSIX).at(0);
  }
  void set_control(unsigned bits) const {
    device.write<std::uint16_t>(capability + PCI_MSIX_FLAGS, static_cast<std::uint16_t>(bits));
  }
  void set_message(std::uint16_t vector, std::uint32_t data) const {
    table.out32(vector * 16U, 0xfee01000);
    table.out32(vector * 16U + 4, 0);
    table.out32(vector * 16U + 8, data);
  }
  void mask(std::uint16_t vector, bool masked) const { table.out32(vector * 16U + 12, masked ? 1 : 0); }
  [[nodiscard]] std::uint64_t pending() const {
    std::array<std::byte, 8> bytes{};
    msix.read_pending(0, bytes);
    return test::Registers::number<std::uint64_t>(bytes);
  }

  test::RecordingInterrupts interrupts;
  Msix msix{3, interrupts};
  PciFunction function{{.vendor = 1, .device = 2}};
  PciHost host;
  test::PciDriver device{host, 1};
  Table memory{msix};
  test::Registers table{memory};
  unsigned capability = 0;
};

using Programmed = std::vector<std::pair<std::uint16_t, MsixMessage>>;

}  // namespace

TEST_CASE_FIXTURE(Function, "the capability tells the number of vectors and where the table is") {
  CHECK(device.read<std::uint16_t>(capability + PCI_MSIX_FLAGS) == 2);
  CHECK(device.read<std::uint32_t>(capability + PCI_MSIX_TABLE) == 0x4002);
  CHECK(device.read<std::uint32_t>(capability + PCI_MSIX_PBA) == 0x5002);
  CHECK(table.in32(12) == 1);
}

TEST_CASE_FIXTURE(Function, "a vector is programmed when it is unmasked, once, and then sends") {
  set_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
  set_message(1, 0x41);
  mask(1, false);
  CHECK(interrupts.programmed().empty());
  set_control(PCI_MSIX_FLAGS_ENABLE);
  CHECK(interrupts.programmed() == Programmed{{1, {0xfee01000, 0x41, false}}});
  msix.trigger(1);
  CHECK(interrupts.count(1) == 1);
  mask(1, true);
  CHECK(interrupts.programmed().back() == std::pair{std::uint16_t{1}, MsixMessage{0xfee01000, 0x41, true}});
}

TEST_CASE_FIXTURE(Function, "an interrupt of a masked vector is sent when the mask goes") {
  set_control(PCI_MSIX_FLAGS_ENABLE);
  msix.trigger(2);
  msix.trigger(2);
  CHECK(interrupts.count(2) == 0);
  CHECK(pending() == 4);
  mask(2, false);
  CHECK(interrupts.count(2) == 1);
  CHECK(pending() == 0);
}

TEST_CASE_FIXTURE(Function, "the function's mask holds every vector back") {
  mask(0, false);
  set_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
  msix.trigger(0);
  CHECK(interrupts.count(0) == 0);
  set_control(PCI_MSIX_FLAGS_ENABLE);
  CHECK(interrupts.count(0) == 1);
}

TEST_CASE_FIXTURE(Function, "interrupts are dropped while MSI-X is disabled") {
  mask(0, false);
  msix.trigger(0);
  set_control(PCI_MSIX_FLAGS_ENABLE);
  CHECK(interrupts.count(0) == 0);
  CHECK(msix.enabled());
}

TEST_CASE_FIXTURE(Function, "the table takes aligned dwords and quadwords only, within its bounds") {
  table.out<std::uint64_t>(0, 0x1122334455667788);
  CHECK(table.in32(0) == 0x55667788);
  CHECK(table.in32(4) == 0x11223344);
  table.out16(0, 0);
  table.out8(0, 0);
  table.out32(2, 0);
  table.out<std::uint64_t>(4, 0);
  table.out32(48, 1);
  table.out<std::uint64_t>(~std::uint64_t{7}, 1);
  CHECK(table.in<std::uint64_t>(0) == 0x1122334455667788);
  CHECK(table.in32(48) == 0);
  CHECK(table.in<std::uint64_t>(44) == 1);
  CHECK(table.in16(2) == 0x5566);
  table.out32(12, 0xfffffffe);
  CHECK(table.in32(12) == 0);
}

TEST_CASE_FIXTURE(Function, "a restored function is programmed and sends what was pending") {
  set_control(PCI_MSIX_FLAGS_ENABLE);
  set_message(0, 0x40);
  mask(0, false);
  msix.trigger(1);
  Function fresh;
  fresh.host.restore(host.state());
  fresh.msix.restore(msix.state());
  CHECK(fresh.msix.state() == msix.state());
  CHECK(fresh.interrupts.programmed() == Programmed{{0, {0xfee01000, 0x40, false}}});
  fresh.mask(1, false);
  CHECK(fresh.interrupts.count(1) == 1);
}

}  // namespace ktstr::vmm::kvm
