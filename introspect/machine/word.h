// Elements of the kernel's arrays of unsigned long, read as bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace ktstr::introspect {

/// The element `index` of an array of 64-bit words. The array must hold it.
[[nodiscard]] inline std::uint64_t word(std::span<const std::byte> array, std::size_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, array.data() + index * sizeof(value), sizeof(value));
  return value;
}

}  // namespace ktstr::introspect
