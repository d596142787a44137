// Resource descriptors: the ports, windows and interrupts that a device's _CRS tells.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm::resource {

/// Ports that a device decodes itself, all 16 address bits of them (ACPI 6.5, 6.4.2.5).
[[nodiscard]] Bytes io_ports(std::uint16_t first, std::uint8_t count);

/// An edge-triggered, active-high, unshared global system interrupt (6.4.3.6).
[[nodiscard]] Bytes edge_interrupt(std::uint32_t gsi);

/// What a bridge hands on to the devices behind it, as it is (6.4.3.5): bus numbers, ports, and addresses
/// that are not cached. Precondition: at least one.
[[nodiscard]] Bytes bus_window(std::uint16_t first, std::uint16_t count);
[[nodiscard]] Bytes io_window(std::uint16_t first, std::uint16_t count);
[[nodiscard]] Bytes memory_window(std::uint32_t first, std::uint32_t bytes);

/// The descriptors in a row, with the end tag, as _CRS's buffer.
[[nodiscard]] Bytes settings(std::initializer_list<Bytes> descriptors);

}  // namespace ktstr::vmm::kvm::resource
