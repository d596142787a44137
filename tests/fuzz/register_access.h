// Accesses to a device's registers, of every size, as an input has them.
#pragma once

#include <array>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::fuzz {

/// One access to [base, base + range): a byte that chooses direction and size, two of offset, and the data.
inline void access(vmm::kvm::Device& device, std::uint64_t base, std::uint64_t range, FuzzInput& input) {
  const auto choice = input.take<std::uint8_t>();
  const std::size_t size = std::size_t{1} << (choice & 3U);
  if (size > range) return;
  const auto offset = base + input.take<std::uint16_t>() % (range - size + 1);
  std::array<std::byte, 8> data{};
  if ((choice & 4U) != 0) {
    device.read(offset, std::span(data).first(size));
    return;
  }
  std::ranges::copy(input.take_bytes(size), data.begin());
  device.write(offset, std::span(data).first(size));
}

}  // namespace ktstr::fuzz
