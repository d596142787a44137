#include "vmm/kvm/devices/pci.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/vmm/kvm/devices/pci_driver.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kAllOnes32 = 0xffffffff;

/// A host with a function at device 3 that has a BAR and two capabilities.
struct Bus0 {
  Bus0() {
    function.add_memory_bar(1, GuestPhys(0xc0010000), 0x1000);
    const std::array<std::byte, 3> fixed{std::byte{1}, std::byte{2}, std::byte{3}};
    const std::array<std::byte, 2> mutable_body{}, mask{std::byte{0}, std::byte{0xc0}};
    function.add_capability(PCI_CAP_ID_VNDR, fixed);
    function.add_capability(PCI_CAP_ID_MSIX, mutable_body, mask,
                            [this](std::span<const std::byte> body) { observed.push_back(value_of(body)); });
    host.insert(3, function);
  }
  PciFunction function{{.vendor = 0x1af4, .device = 0x1043, .class_code = 0x078000, .revision = 1}};
  std::vector<std::uint64_t> observed;
  PciHost host;
  test::Registers ports{host};
  test::PciDriver device{host, 3};
};

}  // namespace

TEST_CASE_FIXTURE(Bus0, "Linux believes in mechanism 1: the address reads back and there is a host bridge") {
  ports.out8(3, 0x01);
  const auto saved = ports.in32(0);
  ports.out32(0, 0x80000000);
  CHECK(ports.in32(0) == 0x80000000);
  CHECK(test::PciDriver(host, 0).read<std::uint16_t>(PCI_CLASS_DEVICE) == 0x0600);
  ports.out32(0, saved);
  CHECK(ports.in32(0) == saved);
}

TEST_CASE_FIXTURE(Bus0, "a function tells who it is, by dwords, words and bytes") {
  CHECK(device.read<std::uint32_t>(PCI_VENDOR_ID) == 0x10431af4);
  CHECK(device.read<std::uint16_t>(PCI_DEVICE_ID) == 0x1043);
  CHECK(device.read<std::uint8_t>(PCI_REVISION_ID) == 1);
  CHECK(device.read<std::uint16_t>(PCI_CLASS_DEVICE) == 0x0780);
  CHECK(device.read<std::uint8_t>(PCI_HEADER_TYPE) == 0);
}

TEST_CASE_FIXTURE(Bus0, "where no function is, reads give ones") {
  for (const std::uint32_t address : {0x80002000U, 0x80001900U, 0x80011800U, 0x00001800U}) {
    CAPTURE(address);
    ports.out32(0, address);
    ports.out32(4, 0);
    CHECK(ports.in32(4) == kAllOnes32);
  }
}

TEST_CASE_FIXTURE(Bus0, "identity is read-only, the command register only keeps what is defined") {
  device.write<std::uint32_t>(PCI_VENDOR_ID, 0);
  CHECK(device.read<std::uint32_t>(PCI_VENDOR_ID) == 0x10431af4);
  device.write<std::uint16_t>(PCI_COMMAND, 0xffff);
  CHECK(device.read<std::uint16_t>(PCI_COMMAND) == 0x0547);
  device.write<std::uint16_t>(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
  CHECK(device.read<std::uint16_t>(PCI_COMMAND) == 6);
  CHECK(device.read<std::uint16_t>(PCI_STATUS) == PCI_STATUS_CAP_LIST);
}

TEST_CASE_FIXTURE(Bus0, "a BAR tells its size and then its address again") {
  CHECK(device.read<std::uint32_t>(PCI_BASE_ADDRESS_1) == 0xc0010000);
  device.write(PCI_BASE_ADDRESS_1, kAllOnes32);
  CHECK(device.read<std::uint32_t>(PCI_BASE_ADDRESS_1) == 0xfffff000);
  device.write<std::uint32_t>(PCI_BASE_ADDRESS_1, 0xc0010000);
  CHECK(device.read<std::uint32_t>(PCI_BASE_ADDRESS_1) == 0xc0010000);
}

TEST_CASE_FIXTURE(Bus0, "a BAR does not move, and one that is not there has no size") {
  device.write<std::uint32_t>(PCI_BASE_ADDRESS_1, 0xd0000000);
  CHECK(device.read<std::uint32_t>(PCI_BASE_ADDRESS_1) == 0xc0010000);
  for (unsigned byte = 0; byte < 4; ++byte) device.write<std::uint8_t>(PCI_BASE_ADDRESS_1 + byte, 0xff);
  CHECK(device.read<std::uint32_t>(PCI_BASE_ADDRESS_1) == 0xc0010000);
  for (const unsigned absent : {PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_2, PCI_ROM_ADDRESS}) {
    device.write(absent, kAllOnes32);
    CHECK(device.read<std::uint32_t>(absent) == 0);
  }
}

TEST_CASE_FIXTURE(Bus0, "capabilities form a list of aligned entries") {
  const auto vendor = device.capabilities(PCI_CAP_ID_VNDR);
  const auto msix = device.capabilities(PCI_CAP_ID_MSIX);
  CHECK(vendor == std::vector{0x40U});
  CHECK(msix == std::vector{0x48U});
  CHECK(device.read<std::uint8_t>(0x44) == 3);
  CHECK(device.read<std::uint8_t>(0x49) == 0);
}

TEST_CASE_FIXTURE(Bus0, "a capability changes where it may, and its observer sees it") {
  device.write<std::uint16_t>(0x4a, 0xffff);
  CHECK(device.read<std::uint16_t>(0x4a) == 0xc000);
  device.write<std::uint8_t>(0x42, 0xff);
  CHECK(device.read<std::uint8_t>(0x42) == 1);
  CHECK(observed == std::vector<std::uint64_t>{0xc000});
}

TEST_CASE_FIXTURE(Bus0, "accesses of odd sizes and places do no harm") {
  ports.out32(0, 0x80001800);
  ports.out16(0, 0x1234);
  ports.out32(1, 0x12345678);
  CHECK(ports.in32(0) == 0x80001800);
  CHECK(ports.in16(0) == 0xffff);
  CHECK(ports.in32(2) == kAllOnes32);
  CHECK(ports.in<std::uint64_t>(0) == ~std::uint64_t{0});
  CHECK(ports.in32(6) == kAllOnes32);
  CHECK(ports.in<std::uint64_t>(4) == ~std::uint64_t{0});
  CHECK(ports.in16(5) == 0x431a);
  ports.out32(0, 0x800018ff);
  ports.out32(4, 0);
  CHECK(ports.in32(0) == 0x800018fc);
  CHECK(ports.in32(4) == 0);
}

TEST_CASE_FIXTURE(Bus0, "a restored bus goes on where it was") {
  device.write<std::uint16_t>(0x4a, 0x8000);
  device.write(PCI_BASE_ADDRESS_1, kAllOnes32);
  Bus0 fresh;
  fresh.host.restore(host.state());
  CHECK(fresh.host.state() == host.state());
  CHECK(fresh.observed == std::vector<std::uint64_t>{0x8000});
  CHECK(fresh.ports.in32(0) == ports.in32(0));
  CHECK(fresh.ports.in32(4) == 0xfffff000);
}

}  // namespace ktstr::vmm::kvm
