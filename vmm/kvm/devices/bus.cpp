#include "vmm/kvm/devices/bus.h"

#include <algorithm>
#include <iterator>

#include "engine/base/check.h"

namespace ktstr::vmm::kvm {

void Bus::insert(std::uint64_t base, std::uint64_t bytes, Device& device) {
  KTSTR_CHECK(bytes > 0 && base + (bytes - 1) >= base);
  const auto next = ranges_.lower_bound(base);
  KTSTR_CHECK(next == ranges_.end() || next->first - base >= bytes);
  KTSTR_CHECK(next == ranges_.begin() || base - std::prev(next)->first >= std::prev(next)->second.bytes);
  ranges_.emplace(base, Range{bytes, &device});
}

std::optional<Bus::Target> Bus::find(std::uint64_t address, std::uint64_t bytes) const {
  const auto next = ranges_.upper_bound(address);
  if (next == ranges_.begin()) return std::nullopt;
  const auto& [base, range] = *std::prev(next);
  const auto offset = address - base;
  if (offset >= range.bytes || bytes > range.bytes - offset) return std::nullopt;
  return Target{range.device, offset};
}

void Bus::read(std::uint64_t address, std::span<std::byte> data) const {
  if (const auto target = find(address, data.size()))
    target->device->read(target->offset, data);
  else
    std::ranges::fill(data, std::byte{0xff});
}

void Bus::write(std::uint64_t address, std::span<const std::byte> data) const {
  if (const auto target = find(address, data.size())) target->device->write(target->offset, data);
}

void ByteDevice::read(std::uint64_t offset, std::span<std::byte> data) {
  for (auto& byte : data) byte = std::byte{read_register(offset++)};
}

void ByteDevice::write(std::uint64_t offset, std::span<const std::byte> data) {
  for (const auto byte : data) write_register(offset++, std::to_integer<std::uint8_t>(byte));
}

}  // namespace ktstr::vmm::kvm
