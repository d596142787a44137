// Registers: a device's registers as a driver accesses them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm::test {

class Registers {
 public:
  explicit Registers(Device& device, std::uint64_t base = 0) : device_(&device), base_(base) {}

  template <class T>
  [[nodiscard]] T in(std::uint64_t offset) const {
    std::array<std::byte, sizeof(T)> bytes{};
    device_->read(base_ + offset, bytes);
    return number<T>(bytes);
  }
  template <class T>
  [[nodiscard]] static T number(const std::array<std::byte, sizeof(T)>& bytes) {
    T value{};
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  template <class T>
  void out(std::uint64_t offset, T value) const {
    std::array<std::byte, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof(value));
    device_->write(base_ + offset, bytes);
  }

  [[nodiscard]] std::uint8_t in8(std::uint64_t offset) const { return in<std::uint8_t>(offset); }
  [[nodiscard]] std::uint16_t in16(std::uint64_t offset) const { return in<std::uint16_t>(offset); }
  [[nodiscard]] std::uint32_t in32(std::uint64_t offset) const { return in<std::uint32_t>(offset); }
  void out8(std::uint64_t offset, std::uint8_t value) const { out(offset, value); }
  void out16(std::uint64_t offset, std::uint16_t value) const { out(offset, value); }
  void out32(std::uint64_t offset, std::uint32_t value) const { out(offset, value); }

 private:
  Device* device_;
  std::uint64_t base_;
};

}  // namespace ktstr::vmm::kvm::test
