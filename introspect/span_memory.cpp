#include "introspect/span_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/base/check.h"

namespace ktstr::introspect {
namespace {

/// Loads the naturally aligned T at `from` in one access and stores it at `out`.
template <class T>
void copy_aligned(std::byte* out, const std::byte* from) {
  const T value = __atomic_load_n(reinterpret_cast<const T*>(from), __ATOMIC_RELAXED);
  std::memcpy(out, &value, sizeof(T));
}

/// The largest power of two, up to 8, that `at` is aligned to and `length` has room for. Precondition:
/// length > 0.
std::size_t piece_size(const std::byte* at, std::size_t length) {
  std::size_t piece = 8;
  while (reinterpret_cast<std::uintptr_t>(at) % piece != 0 || piece > length) piece /= 2;
  return piece;
}

/// Copies the one to seven bytes before or after the aligned words, in the largest aligned pieces.
void copy_fringe(std::byte* out, const std::byte* from, std::size_t length) {
  while (length > 0) {
    const std::size_t piece = piece_size(from, length);
    if (piece == 4) copy_aligned<std::uint32_t>(out, from);
    if (piece == 2) copy_aligned<std::uint16_t>(out, from);
    if (piece == 1) copy_aligned<std::uint8_t>(out, from);
    out += piece;
    from += piece;
    length -= piece;
  }
}

template <class T>
void store_aligned(std::byte* to, const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  __atomic_store_n(reinterpret_cast<T*>(to), value, __ATOMIC_RELAXED);
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

/// Inline in every reader: a call costs as much as a word.
[[gnu::always_inline]] inline void copy_words(std::span<std::byte> out, const std::byte* from) {
  std::byte* to = out.data();
  std::size_t length = out.size();
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(from) % 8;
  if (misaligned != 0) {
    const std::size_t lead = std::min<std::size_t>(8 - misaligned, length);
    copy_fringe(to, from, lead);
    to += lead;
    from += lead;
    length -= lead;
  }
  for (; length >= 8; to += 8, from += 8, length -= 8) copy_aligned<std::uint64_t>(to, from);
  copy_fringe(to, from, length);
}

}  // namespace

void copy_shared(std::span<std::byte> out, const std::byte* from) {
  copy_words(out, from);
}

SpanMemory::SpanMemory(std::vector<MemorySpan> spans) : spans_(std::move(spans)) {
  std::erase_if(spans_, [](const MemorySpan& span) { return span.bytes.empty(); });
  std::ranges::sort(spans_, {}, &MemorySpan::base);
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    const std::uint64_t room =
        i + 1 < spans_.size() ? spans_[i + 1].base - spans_[i].base : ~spans_[i].base.value();
    KTSTR_CHECK(spans_[i].bytes.size() <= room);
  }
}

bool SpanMemory::read(GuestPhys address, std::span<std::byte> out) const {
  auto span = std::ranges::upper_bound(spans_, address, {}, &MemorySpan::base);
  if (span == spans_.begin()) return out.empty();
  --span;
  while (!out.empty()) {
    if (span == spans_.end() || address < span->base) return false;
    const std::uint64_t offset = address - span->base;
    if (offset >= span->bytes.size()) return false;
    const std::size_t length = std::min<std::uint64_t>(out.size(), span->bytes.size() - offset);
    copy_words(out.first(length), span->bytes.data() + offset);
    out = out.subspan(length);
    address = address + length;
    ++span;
  }
  return true;
}

GuestPhys SpanMemory::end() const {
  return spans_.empty() ? GuestPhys{} : spans_.back().base + spans_.back().bytes.size();
}

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
