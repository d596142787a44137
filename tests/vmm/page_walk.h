// What the hardware does with the page tables that a kernel is started on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace ktstr::vmm::test {

inline constexpr std::uint64_t kFourGiB = 1ULL << 32;
inline constexpr std::uint64_t kLargePage = 2 << 20;

/// The physical address of `address` by the four-level tables at `cr3`; `read` gives the 64-bit entry at a
/// physical address (Intel SDM volume 3, 4.5). Only pages of 2 MiB are known.
inline std::optional<std::uint64_t> walk(const std::function<std::uint64_t(std::uint64_t)>& read,
                                         std::uint64_t cr3, std::uint64_t address) {
  constexpr std::uint64_t kPresent = 1, kWritable = 2, kLarge = 0x80;
  constexpr std::uint64_t kAddressBits = 0x000ffffffffff000, kLargeBits = 0x000fffffffe00000;
  auto table = cr3;
  for (const unsigned shift : {39U, 30U, 21U}) {
    const auto entry = read(table + (address >> shift & 0x1ff) * 8);
    if ((entry & (kPresent | kWritable)) != (kPresent | kWritable)) return std::nullopt;
    if (entry & kLarge)
      return shift == 21 ? std::optional((entry & kLargeBits) | (address % kLargePage)) : std::nullopt;
    table = entry & kAddressBits;
  }
  return std::nullopt;
}

}  // namespace ktstr::vmm::test
