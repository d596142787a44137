// Copying out of memory that somebody else is writing to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ktstr::introspect {

namespace detail {

/// Loads the naturally aligned T at `from` in one access and stores it at `out`.
template <class T>
void copy_aligned(std::byte* out, const std::byte* from) {
  const T value = __atomic_load_n(reinterpret_cast<const T*>(from), __ATOMIC_RELAXED);
  std::memcpy(out, &value, sizeof(T));
}

/// Copies the one to seven bytes before or after the aligned words, in the largest aligned pieces.
inline void copy_fringe(std::byte* out, const std::byte* from, std::size_t length) {
  while (length > 0) {
    const auto address = reinterpret_cast<std::uintptr_t>(from);
    std::size_t piece = 1;
    if (length >= 4 && address % 4 == 0)
      piece = 4, copy_aligned<std::uint32_t>(out, from);
    else if (length >= 2 && address % 2 == 0)
      piece = 2, copy_aligned<std::uint16_t>(out, from);
    else
      copy_aligned<std::uint8_t>(out, from);
    out += piece, from += piece, length -= piece;
  }
}

}  // namespace detail

/// Copies out.size() bytes from `from`, which a guest may be writing. Every aligned 8-byte word (and aligned
/// 4- or 2-byte piece outside those words) is read in one access, so a counter or pointer is never half old
/// and half new; different words may be of different instants.
inline void copy_shared(std::span<std::byte> out, const std::byte* from) {
  std::byte* to = out.data();
  std::size_t length = out.size();
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(from) % 8;
  if (misaligned != 0) {
    const std::size_t lead = std::min<std::size_t>(8 - misaligned, length);
    detail::copy_fringe(to, from, lead);
    to += lead, from += lead, length -= lead;
  }
  for (; length >= 8; to += 8, from += 8, length -= 8) detail::copy_aligned<std::uint64_t>(to, from);
  detail::copy_fringe(to, from, length);
}

}  // namespace ktstr::introspect
