// Configuration space and MSI-X under any sequence of accesses, interrupts and restores.
#include <cstdlib>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/register_access.h"
#include "tests/vmm/kvm/devices/pci_driver.h"
#include "vmm/kvm/devices/msix.h"
#include "vmm/kvm/devices/pci.h"

using namespace ktstr;
using namespace ktstr::vmm::kvm;

namespace {

constexpr std::uint16_t kVectors = 7;
constexpr std::uint32_t kBar = 0xc0000000;
constexpr std::uint32_t kBarBytes = 0x1000;

/// Holds the devices to their word: no signal for a masked vector.
struct Checker : MessageInterrupts {
  void program(std::uint16_t vector, const MsixMessage& message) override {
    if (message == messages.at(vector)) std::abort();
    messages.at(vector) = message;
  }
  void signal(std::uint16_t vector) override {
    if (messages.at(vector).masked) std::abort();
  }
  std::array<MsixMessage, kVectors> messages;
};

struct Table : Device {
  explicit Table(Msix& owner) : msix(owner) {}
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    msix.read_table(offset, data);
    msix.read_pending(offset, data);
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    msix.write_table(offset, data);
  }
  Msix& msix;
};

struct Function {
  Function() {
    function.add_memory_bar(0, GuestPhys(kBar), kBarBytes);
    msix.add_capability(function, 0, 0, 0x800);
    host.insert(1, function);
  }
  void check() {
    const auto state = host.state();
    const test::PciDriver driver(host, 1);
    const auto bar = driver.read<std::uint32_t>(PCI_BASE_ADDRESS_0);
    if (driver.read<std::uint32_t>(PCI_VENDOR_ID) != 0x10431af4) std::abort();
    if (bar != kBar && bar != ~(kBarBytes - 1)) std::abort();
    host.restore(state);
    if (host.state() != state) std::abort();
  }
  Checker interrupts;
  Msix msix{kVectors, interrupts};
  PciFunction function{{.vendor = 0x1af4, .device = 0x1043}};
  PciHost host;
  Table table{msix};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Function device;
  fuzz::FuzzInput input(data, size);
  while (!input.empty()) {
    const auto choice = input.take<std::uint8_t>();
    if (choice < 0x60)
      fuzz::access(device.host, 0, PciHost::kPorts, input);
    else if (choice < 0x70)  // an address that is likely to mean something
      test::Registers(device.host).out32(0, 0x80000800U | input.take<std::uint8_t>());
    else if (choice < 0xc0)
      fuzz::access(device.table, 0, kBarBytes, input);
    else if (choice < 0xe0)
      device.msix.trigger(choice % kVectors);
    else if (choice < 0xf0)
      device.msix.restore(device.msix.state());
    else
      device.check();
  }
  device.check();
  return 0;
}
