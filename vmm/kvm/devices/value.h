// What an access carries, as a number: the guest and the host are both little-endian.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ktstr::vmm::kvm {

static_assert(std::endian::native == std::endian::little);

/// The first 8 bytes of `data` at most.
[[nodiscard]] inline std::uint64_t value_of(std::span<const std::byte> data) {
  std::uint64_t value = 0;
  std::memcpy(&value, data.data(), std::min(data.size(), sizeof(value)));
  return value;
}

/// Copies to `data` what `source` has at `offset`; what it does not have is 0.
inline void copy_from(std::span<const std::byte> source, std::uint64_t offset, std::span<std::byte> data) {
  const auto begin = std::min<std::uint64_t>(offset, source.size());
  const auto piece = source.subspan(begin, std::min(data.size(), source.size() - begin));
  std::ranges::fill(std::ranges::copy(piece, data.begin()).out, data.end(), std::byte{0});
}

}  // namespace ktstr::vmm::kvm
