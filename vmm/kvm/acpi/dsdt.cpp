#include "vmm/kvm/acpi/dsdt.h"

#include "vmm/kvm/acpi/aml.h"
#include "vmm/kvm/acpi/resources.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kDsdtRevision = 2;  // integers have 64 bits

Bytes pci_host_bridge() {
  return aml::device(
      "PCI0",
      {aml::name("_HID", aml::eisa_id("PNP0A03")), aml::name("_UID", aml::integer(0)),
       aml::name("_CRS", resource::settings(
                             {resource::bus_window(0, 1), resource::io_ports(kPciConfigPort, 8),
                              resource::io_window(kPciIoWindow, kPciIoWindowBytes),
                              resource::memory_window(static_cast<std::uint32_t>(kPciWindow.value()),
                                                      static_cast<std::uint32_t>(kPciWindowBytes))}))});
}

Bytes com1() {
  return aml::device("COM1", {aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(1)),
                              aml::name("_CRS", resource::settings({resource::io_ports(kCom1Port, 8),
                                                                    resource::edge_interrupt(kCom1Gsi)}))});
}

/// Linux binds its pvpanic driver to this id.
Bytes pvpanic() {
  return aml::device("PEVT", {aml::name("_HID", aml::string("QEMU0001")),
                              aml::name("_CRS", resource::settings({resource::io_ports(kPvpanicPort, 1)}))});
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
