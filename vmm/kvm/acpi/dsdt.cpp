#include "vmm/kvm/acpi/dsdt.h"

#include "engine/base/check.h"
#include "vmm/kvm/acpi/aml.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

// Resource descriptors: the ports, windows and interrupts that a device's _CRS tells.

constexpr std::size_t kLargeHeaderBytes = 3;  // a large descriptor's tag, and the length of the rest

struct [[gnu::packed]] IoPorts {
  std::uint8_t tag = 0x47;
  std::uint8_t decodes_16_bits = 1;
  std::uint16_t minimum = 0;
  std::uint16_t maximum = 0;
  std::uint8_t alignment = 1;
  std::uint8_t count = 0;
};
static_assert(sizeof(IoPorts) == 8);

struct [[gnu::packed]] ExtendedInterrupt {
  std::uint8_t tag = 0x89;
  std::uint16_t length = 6;
  std::uint8_t flags = 1 << 0 | 1 << 1;  // the device consumes it; edge-triggered
  std::uint8_t count = 1;
  std::uint32_t gsi = 0;
};
static_assert(sizeof(ExtendedInterrupt) == 9);

/// T is the width of the addresses.
template <class T>
struct [[gnu::packed]] AddressSpace {
  std::uint8_t tag = sizeof(T) == 2 ? 0x88 : 0x87;
  std::uint16_t length = sizeof(AddressSpace) - kLargeHeaderBytes;
  std::uint8_t type = 0;
  std::uint8_t flags = 1 << 2 | 1 << 3;  // a producer's, decoded positively; both ends are fixed
  std::uint8_t type_flags = 0;
  T granularity = 0;
  T minimum = 0;
  T maximum = 0;
  T translation = 0;
  T count = 0;
};
static_assert(sizeof(AddressSpace<std::uint16_t>) == 16);
static_assert(sizeof(AddressSpace<std::uint32_t>) == 26);

constexpr std::uint8_t kMemory = 0, kIo = 1, kBus = 2;  // types, each with its flags:
constexpr std::uint8_t kReadWrite = 1;                  // memory, not cacheable
constexpr std::uint8_t kEntireRange = 3;                // ports: those of ISA and the rest

template <class T>
Bytes bytes_of(const T& descriptor) {
  Bytes bytes;
  append(bytes, descriptor);
  return bytes;
}

/// What a bridge hands on to the devices behind it, as it is (6.4.3.5): bus numbers, ports, and addresses
/// that are not cached. Precondition: at least one.
template <class T>
Bytes window(std::uint8_t type, std::uint8_t type_flags, T first, T count) {
  KTSTR_CHECK(count > 0);
  return bytes_of(AddressSpace<T>{.type = type,
                                  .type_flags = type_flags,
                                  .minimum = first,
                                  .maximum = static_cast<T>(first + (count - 1)),
                                  .count = count});
}

/// Ports that a device decodes itself, all 16 address bits of them (ACPI 6.5, 6.4.2.5).
Bytes io_ports(std::uint16_t first, std::uint8_t count) {
  return bytes_of(IoPorts{.minimum = first, .maximum = first, .count = count});
}

/// An edge-triggered, active-high, unshared global system interrupt (6.4.3.6).
Bytes edge_interrupt(std::uint32_t gsi) {
  return bytes_of(ExtendedInterrupt{.gsi = gsi});
}

Bytes bus_window(std::uint16_t first, std::uint16_t count) {
  return window(kBus, 0, first, count);
}

Bytes io_window(std::uint16_t first, std::uint16_t count) {
  return window(kIo, kEntireRange, first, count);
}

Bytes memory_window(std::uint32_t first, std::uint32_t bytes) {
  return window(kMemory, kReadWrite, first, bytes);
}

/// The descriptors in a row, with the end tag, as _CRS's buffer.
Bytes settings(std::initializer_list<Bytes> descriptors) {
  constexpr std::byte kEndTag{0x79}, kNoChecksum{0};
  Bytes all;
  for (const auto& descriptor : descriptors) append(all, descriptor);
  append(all, kEndTag);
  append(all, kNoChecksum);
  return aml::buffer(all);
}

constexpr std::uint8_t kDsdtRevision = 2;  // integers have 64 bits

Bytes pci_host_bridge() {
  return aml::device(
      "PCI0", {aml::name("_HID", aml::eisa_id("PNP0A03")), aml::name("_UID", aml::integer(0)),
               aml::name("_CRS", settings({bus_window(0, 1), io_ports(kPciConfigPort, 8),
                                           io_window(kPciIoWindow, kPciIoWindowBytes),
                                           memory_window(static_cast<std::uint32_t>(kPciWindow.value()),
                                                         static_cast<std::uint32_t>(kPciWindowBytes))}))});
}

Bytes com1() {
  return aml::device("COM1",
                     {aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(1)),
                      aml::name("_CRS", settings({io_ports(kCom1Port, 8), edge_interrupt(kCom1Gsi)}))});
}

/// Linux binds its pvpanic driver to this id.
Bytes pvpanic() {
  return aml::device("PEVT", {aml::name("_HID", aml::string("QEMU0001")),
                              aml::name("_CRS", settings({io_ports(kPvpanicPort, 1)}))});
}

/// SLP_TYP for the sleep control register, and three elements that hardware-reduced machines don't use
/// (ACPI 6.5, 7.4.2).
Bytes soft_off() {
  return aml::name(
      "_S5", aml::package({aml::integer(kSoftOffType), aml::integer(0), aml::integer(0), aml::integer(0)}));
}

}  // namespace

Bytes dsdt() {
  Table table("DSDT", kDsdtRevision);
  table.add(aml::scope("_SB", {pci_host_bridge(), com1(), pvpanic()}));
  table.add(soft_off());
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
