#include "vmm/kvm/devices/pci.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

// The generic host bridge of QEMU (docs/specs/pci-ids.rst): kernels have no quirks for it.
constexpr PciFunction::Identity kHostBridge = {.vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000};

constexpr std::uint64_t kDataPort = 4;
constexpr std::uint32_t kEnable = 0x80000000;
constexpr std::uint32_t kWritableAddress = 0x80fffffc;

}  // namespace

PciHost::PciHost() : bridge_(kHostBridge) {
  functions_[0] = &bridge_;
}

void PciHost::insert(unsigned device, PciFunction& function) {
  KTSTR_CHECK(device < kDevices && functions_[device] == nullptr);
  functions_[device] = &function;
}

void PciHost::read(std::uint64_t offset, std::span<std::byte> data) {
  const std::lock_guard lock(mutex_);
  std::ranges::fill(data, std::byte{0xff});
  if (offset == 0 && data.size() == sizeof(address_)) std::memcpy(data.data(), &address_, sizeof(address_));
  if (const auto found = target(offset, data.size())) found->function->read(found->offset, data);
}

void PciHost::write(std::uint64_t offset, std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  if (offset == 0 && data.size() == sizeof(address_))
    address_ = static_cast<std::uint32_t>(value_of(data)) & kWritableAddress;
  if (const auto found = target(offset, data.size())) found->function->write(found->offset, data);
}

// Only a dword at the address port is an address; narrower accesses there belong to other devices of a PC.
std::optional<PciHost::Target> PciHost::target(std::uint64_t offset, std::size_t bytes) const {
  if (offset < kDataPort || offset + bytes > kPorts || (address_ & kEnable) == 0) return std::nullopt;
  const auto bus = (address_ >> 16) & 0xff;
  const auto device = (address_ >> 11) & 0x1f;
  const auto function = (address_ >> 8) & 0x07;
  if (bus != 0 || function != 0 || functions_[device] == nullptr) return std::nullopt;
  return Target{functions_[device], static_cast<std::uint8_t>((address_ & 0xfc) + (offset - kDataPort))};
}

PciHost::State PciHost::state() const {
  const std::lock_guard lock(mutex_);
  State state{address_, {}};
  for (unsigned device = 0; device < kDevices; ++device)
    if (functions_[device] != nullptr) state.functions[device] = functions_[device]->state();
  return state;
}

void PciHost::restore(const State& state) {
  const std::lock_guard lock(mutex_);
  address_ = state.address;
  for (const auto& [device, function] : state.functions) {
    KTSTR_CHECK(device < kDevices && functions_[device] != nullptr);
    functions_[device]->restore(function);
  }
}

}  // namespace ktstr::vmm::kvm
