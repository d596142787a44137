// ByteDevice: a device of 8-bit registers.
#pragma once

#include <cstdint>

#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {

/// Wider accesses become one access per byte, lowest address first, as an ISA bus makes them.
class ByteDevice : public Device {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) final;
  void write(std::uint64_t offset, std::span<const std::byte> data) final;

 protected:
  virtual std::uint8_t read_register(std::uint64_t offset) = 0;
  virtual void write_register(std::uint64_t offset, std::uint8_t value) = 0;
};

}  // namespace ktstr::vmm::kvm
