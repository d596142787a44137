#include "introspect/writable_memory.h"

#include <cstdint>
#include <cstring>

namespace ktstr::introspect {
namespace {

template <class T>
void store_aligned(std::byte* to, const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  __atomic_store_n(reinterpret_cast<T*>(to), value, __ATOMIC_RELAXED);
}

/// The largest power of two, up to 8, that `to` is aligned to and `length` has room for.
std::size_t piece_size(const std::byte* to, std::size_t length) {
  std::size_t piece = 8;
  while (reinterpret_cast<std::uintptr_t>(to) % piece != 0 || piece > length) piece /= 2;
  return piece;
}

void store_shared(std::byte* to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t piece = piece_size(to, bytes.size());
    if (piece == 8) store_aligned<std::uint64_t>(to, bytes.data());
    if (piece == 4) store_aligned<std::uint32_t>(to, bytes.data());
    if (piece == 2) store_aligned<std::uint16_t>(to, bytes.data());
    if (piece == 1) store_aligned<std::uint8_t>(to, bytes.data());
    to += piece;
    bytes = bytes.subspan(piece);
  }
}

}  // namespace

bool WritableSpans::write(GuestPhys address, std::span<const std::byte> bytes) {
  for (const WritableSpan& span : spans_) {
    const std::uint64_t offset = address - span.base;
    if (offset >= span.bytes.size() || bytes.size() > span.bytes.size() - offset) continue;
    store_shared(span.bytes.data() + offset, bytes);
    return true;
  }
  return false;
}

}  // namespace ktstr::introspect
