#include "vmm/kvm/devices/pci_function.h"

#include <linux/pci_regs.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint16_t kWritableCommand = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                                           PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE;
constexpr unsigned kBars = 6;
constexpr std::size_t kCapabilityHeader = 2;

bool overlap(std::size_t a, std::size_t a_bytes, std::size_t b, std::size_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

}  // namespace

template <class T>
void PciFunction::put(std::size_t offset, T value) {
  KTSTR_CHECK(offset + sizeof(value) <= kConfigBytes);
  std::memcpy(state_.config.data() + offset, &value, sizeof(value));
}

PciFunction::PciFunction(const Identity& identity)
    : last_pointer_(PCI_CAPABILITY_LIST), free_(PCI_STD_HEADER_SIZEOF) {
  put<std::uint16_t>(PCI_VENDOR_ID, identity.vendor);
  put<std::uint16_t>(PCI_DEVICE_ID, identity.device);
  put<std::uint32_t>(PCI_CLASS_REVISION, identity.class_code << 8U | identity.revision);
  put<std::uint16_t>(PCI_SUBSYSTEM_VENDOR_ID, identity.subsystem_vendor);
  put<std::uint16_t>(PCI_SUBSYSTEM_ID, identity.subsystem);
  std::memcpy(writable_.data() + PCI_COMMAND, &kWritableCommand, sizeof(kWritableCommand));
  for (const auto offset : {PCI_CACHE_LINE_SIZE, PCI_LATENCY_TIMER, PCI_INTERRUPT_LINE})
    writable_[static_cast<std::size_t>(offset)] = std::byte{0xff};
}

void PciFunction::add_memory_bar(unsigned index, GuestPhys address, std::uint32_t bytes) {
  KTSTR_CHECK(index < kBars && std::has_single_bit(bytes) && bytes >= 16);
  KTSTR_CHECK(address.value() % bytes == 0 && address.value() + bytes - 1 <= 0xffffffff);
  const auto offset = static_cast<std::uint8_t>(PCI_BASE_ADDRESS_0 + 4 * index);
  bars_.push_back({offset, static_cast<std::uint32_t>(address.value()), ~(bytes - 1)});
  put(offset, bars_.back().address);  // the type bits of a 32-bit memory BAR are all 0
}

std::uint8_t PciFunction::add_capability(std::uint8_t id, std::span<const std::byte> body,
                                         std::span<const std::byte> writable, CapabilityObserver observer) {
  const auto offset = free_;
  const auto end = offset + kCapabilityHeader + body.size();
  KTSTR_CHECK(end <= kConfigBytes && (writable.empty() || writable.size() == body.size()));
  put<std::uint16_t>(PCI_STATUS, PCI_STATUS_CAP_LIST);
  put(last_pointer_, static_cast<std::uint8_t>(offset));
  put(offset, id);
  std::ranges::copy(body, state_.config.begin() + offset + kCapabilityHeader);
  std::ranges::copy(writable, writable_.begin() + offset + kCapabilityHeader);
  capabilities_.push_back({static_cast<std::uint8_t>(offset + kCapabilityHeader),
                           static_cast<std::uint8_t>(body.size()), std::move(observer)});
  last_pointer_ = offset + PCI_CAP_LIST_NEXT;
  free_ = (end + 3) & ~std::size_t{3};
  return static_cast<std::uint8_t>(offset);
}

void PciFunction::read(std::uint8_t offset, std::span<std::byte> data) const {
  copy_from(state_.config, offset, data);
}

void PciFunction::write(std::uint8_t offset, std::span<const std::byte> data) {
  KTSTR_CHECK(offset + data.size() <= kConfigBytes);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto mask = writable_[offset + i];
    auto& byte = state_.config[offset + i];
    byte = (byte & ~mask) | (data[i] & mask);
  }
  for (const auto& bar : bars_) {
    if (!overlap(offset, data.size(), bar.offset, 4)) continue;
    const bool sizing = data.size() == 4 && value_of(data) == 0xffffffff;
    put(bar.offset, sizing ? bar.size_mask : bar.address);
  }
  for (const auto& capability : capabilities_)
    if (overlap(offset, data.size(), capability.body, capability.bytes)) observe(capability);
}

void PciFunction::restore(const State& state) {
  state_ = state;
  for (const auto& capability : capabilities_) observe(capability);
}

void PciFunction::observe(const Capability& capability) const {
  if (capability.observer)
    capability.observer(std::span(state_.config).subspan(capability.body, capability.bytes));
}

}  // namespace ktstr::vmm::kvm
