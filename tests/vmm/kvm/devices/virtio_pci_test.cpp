#include "vmm/kvm/devices/virtio_pci.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "tests/vmm/kvm/devices/virtio_driver.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kVersion1 = std::uint64_t{1} << VIRTIO_F_VERSION_1;
constexpr std::uint64_t kFeature = 2;
constexpr std::uint16_t kQueueSize = 16;

VirtioDescription description() {
  return {.device_id = 3,
          .class_code = 0x078000,
          .features = kFeature,
          .queues = 2,
          .queue_size = kQueueSize,
          .config = {std::byte{0x11}, std::byte{0x22}, std::byte{0x33}}};
}

bool take_kick(const VirtioPci& transport) {
  eventfd_t count{};
  return ::eventfd_read(transport.kick_fd(), &count) == 0;
}

struct PciFixture {
  test::GuestRam ram;
  test::VirtioMachine machine{description(), ram.memory()};
  test::VirtioDriver driver{machine};
  VirtioPci& transport = *machine.transport;
};

}  // namespace

TEST_CASE_FIXTURE(PciFixture, "a driver finds the device, its structures and its configuration") {
  const test::PciDriver function(machine.pci, 1);
  CHECK(function.read<std::uint32_t>(PCI_VENDOR_ID) == 0x10431af4);
  CHECK(function.read<std::uint16_t>(PCI_CLASS_DEVICE) == 0x0780);
  CHECK(function.read<std::uint16_t>(PCI_SUBSYSTEM_ID) >= 0x40);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_NUMQ) == 2);
  CHECK(driver.config.in32(0) == 0x00332211);
  CHECK(driver.config.in8(1) == 0x22);
  CHECK(driver.config.in32(0xffc) == 0);
}

TEST_CASE_FIXTURE(PciFixture, "features are agreed with VERSION_1 and without what was not offered") {
  CHECK(driver.offered() == (kVersion1 | kFeature));
  driver.common.out32(VIRTIO_PCI_COMMON_DFSELECT, 2);
  CHECK(driver.common.in32(VIRTIO_PCI_COMMON_DF) == 0);
  CHECK((driver.negotiate(kVersion1) & VIRTIO_CONFIG_S_FEATURES_OK) != 0);
  CHECK((driver.negotiate(kFeature) & VIRTIO_CONFIG_S_FEATURES_OK) == 0);
  CHECK((driver.negotiate(kVersion1 | 1) & VIRTIO_CONFIG_S_FEATURES_OK) == 0);
}

TEST_CASE_FIXTURE(PciFixture, "agreed features stay, and DRIVER_OK wants them agreed") {
  driver.negotiate(0);
  driver.add_status(VIRTIO_CONFIG_S_DRIVER_OK);
  CHECK((driver.status() & VIRTIO_CONFIG_S_DRIVER_OK) == 0);
  driver.negotiate(kVersion1);
  driver.common.out32(VIRTIO_PCI_COMMON_GFSELECT, 0);
  driver.common.out32(VIRTIO_PCI_COMMON_GF, kFeature);
  CHECK(driver.common.in32(VIRTIO_PCI_COMMON_GF) == 0);
  driver.add_status(VIRTIO_CONFIG_S_DRIVER_OK);
  CHECK((driver.status() & VIRTIO_CONFIG_S_DRIVER_OK) != 0);
  CHECK(transport.running());
}

TEST_CASE_FIXTURE(PciFixture, "a queue is set up where the driver says, and used") {
  driver.start(ram, kVersion1);
  const auto buffer = ram.allocate(16);
  driver.queues[1].offer({{buffer, 16}});
  const auto held = transport.lock();
  CHECK(transport.common().queue(1).layout() == driver.queues[1].layout());
  CHECK(total_bytes((*transport.common().queue(1).peek())->readable) == 16);
  CHECK_FALSE(transport.common().queue(0).peek()->has_value());
}

TEST_CASE_FIXTURE(PciFixture, "a queue that is not there has size 0 and takes nothing") {
  driver.negotiate(kVersion1);
  driver.set_queue(2, test::DriverQueue(ram, kQueueSize).layout());
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_SIZE) == 0);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_ENABLE) == 0);
}

TEST_CASE_FIXTURE(PciFixture, "sizes that a queue can't have are ignored") {
  driver.negotiate(kVersion1);
  for (const std::uint16_t size : {0, 3, 32, 0xffff}) {
    CAPTURE(size);
    driver.common.out16(VIRTIO_PCI_COMMON_Q_SIZE, size);
    CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_SIZE) == kQueueSize);
  }
}

TEST_CASE_FIXTURE(PciFixture, "an enabled queue stays where it is until a reset") {
  driver.start(ram, kVersion1);
  driver.common.out16(VIRTIO_PCI_COMMON_Q_SELECT, 0);
  const auto before = driver.common.in32(VIRTIO_PCI_COMMON_Q_DESCLO);
  driver.common.out32(VIRTIO_PCI_COMMON_Q_DESCLO, 0);
  driver.common.out16(VIRTIO_PCI_COMMON_Q_ENABLE, 0);
  CHECK(driver.common.in32(VIRTIO_PCI_COMMON_Q_DESCLO) == before);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_ENABLE) == 1);
  driver.common.out8(VIRTIO_PCI_COMMON_STATUS, 0);
  CHECK(driver.common.in32(VIRTIO_PCI_COMMON_Q_DESCLO) == 0);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_ENABLE) == 0);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_MSIX) == kNoVector);
  CHECK(driver.status() == 0);
  CHECK(transport.common().resets() == 2);
}

TEST_CASE_FIXTURE(PciFixture, "a queue is not enabled before features are agreed") {
  driver.set_queue(0, test::DriverQueue(ram, kQueueSize).layout());
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_ENABLE) == 0);
  CHECK(driver.status() == 0);
}

TEST_CASE_FIXTURE(PciFixture, "a queue outside of RAM makes the device want a reset, which cures it") {
  driver.negotiate(kVersion1);
  driver.set_queue(0, {kQueueSize, ram.end(), ram.end(), ram.end()});
  CHECK((driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
  driver.add_status(VIRTIO_CONFIG_S_DRIVER_OK);
  CHECK_FALSE(transport.running());
  driver.start(ram, kVersion1);
  CHECK(transport.running());
}

TEST_CASE_FIXTURE(PciFixture, "vectors that are not there are refused") {
  for (const std::uint16_t vector : {3, 0x7ff, 0xffff}) {
    CAPTURE(vector);
    driver.common.out16(VIRTIO_PCI_COMMON_MSIX, vector);
    driver.common.out16(VIRTIO_PCI_COMMON_Q_MSIX, vector);
    CHECK(driver.common.in16(VIRTIO_PCI_COMMON_MSIX) == kNoVector);
    CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_MSIX) == kNoVector);
  }
  driver.common.out16(VIRTIO_PCI_COMMON_MSIX, 2);
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_MSIX) == 2);
}

TEST_CASE_FIXTURE(PciFixture, "interrupts go to the queue's vector, failure to that of the configuration") {
  driver.start(ram, kVersion1);
  const auto held = transport.lock();
  transport.interrupt(1);
  CHECK(machine.interrupts.count(2) == 1);
  transport.fail();
  transport.fail();
  CHECK(machine.interrupts.count(0) == 1);
  CHECK_FALSE(transport.running());
}

TEST_CASE_FIXTURE(PciFixture, "without MSI-X the interrupt status tells, once") {
  driver.negotiate(kVersion1);
  transport.interrupt(0);
  transport.fail();
  CHECK(driver.isr.in8(0) == 3);
  CHECK(driver.isr.in8(0) == 0);
}

TEST_CASE_FIXTURE(PciFixture, "a notification, by whatever access, and a change of status kick") {
  CHECK_FALSE(take_kick(transport));
  driver.kick(1);
  CHECK(take_kick(transport));
  const test::Registers physical(machine.mmio);
  physical.out32(transport.notify_address().value(), 0xffffffff);
  CHECK(take_kick(transport));
  driver.add_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
  CHECK(take_kick(transport));
}

TEST_CASE_FIXTURE(PciFixture, "registers are read by any access and written whole only") {
  driver.negotiate(kVersion1);
  driver.common.out16(VIRTIO_PCI_COMMON_Q_SELECT, 1);
  CHECK(driver.common.in32(VIRTIO_PCI_COMMON_Q_SELECT) == (kQueueSize << 16 | 1));
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_SIZE - 1) == kQueueSize << 8);
  driver.common.out32(VIRTIO_PCI_COMMON_Q_SELECT, 0);
  driver.common.out8(VIRTIO_PCI_COMMON_Q_SELECT, 0);
  driver.common.out32(VIRTIO_PCI_COMMON_STATUS, 0);
  driver.common.out<std::uint64_t>(VIRTIO_PCI_COMMON_Q_DESCLO, ~std::uint64_t{0});
  driver.common.out32(VIRTIO_PCI_COMMON_Q_DESCLO + 2, ~std::uint32_t{0});
  driver.common.out32(56, ~std::uint32_t{0});
  CHECK(driver.common.in16(VIRTIO_PCI_COMMON_Q_SELECT) == 1);
  CHECK(driver.common.in<std::uint64_t>(VIRTIO_PCI_COMMON_Q_DESCLO) == 0);
  CHECK(driver.common.in<std::uint64_t>(52) == 0);
  CHECK(driver.status() ==
        (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK));
}

TEST_CASE_FIXTURE(PciFixture, "the holes of the BAR read 0") {
  const test::Registers bar(machine.mmio, transport.bar().value());
  for (const std::uint64_t offset : {0x1004U, 0x1ff8U, 0x3008U, 0x6000U, 0x7ff8U}) {
    CAPTURE(offset);
    bar.out<std::uint64_t>(offset, ~std::uint64_t{0});
    CHECK(bar.in<std::uint64_t>(offset) == 0);
  }
}

TEST_CASE_FIXTURE(PciFixture, "a restored device goes on, in the same memory") {
  driver.start(ram, kVersion1 | kFeature);
  test::VirtioMachine fresh(description(), ram.memory());
  fresh.pci.restore(machine.pci.state());
  fresh.transport->restore(transport.state());
  CHECK(fresh.transport->state() == transport.state());
  CHECK(take_kick(*fresh.transport));
  CHECK(fresh.transport->running());
  driver.queues[0].offer({{ram.allocate(8), 8}});
  CHECK(fresh.transport->common().queue(0).peek()->has_value());
  fresh.transport->interrupt(0);
  CHECK(fresh.interrupts.count(1) == 1);
}

TEST_CASE_FIXTURE(PciFixture, "a restored device without its rings wants a reset") {
  driver.start(ram, kVersion1);
  auto state = transport.state();
  state.common.queues[0].ring.layout.used = ram.end();
  test::VirtioMachine fresh(description(), ram.memory());
  fresh.transport->restore(state);
  CHECK_FALSE(fresh.transport->running());
}

}  // namespace ktstr::vmm::kvm
