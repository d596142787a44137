// Words in a mapped page, for building linked structures by hand.
#pragma once

#include <cstdint>

#include "tests/introspect/fake_memory.h"

namespace ktstr::introspect::test {

/// Sixteen mapped pages of zeros from base() on, and nothing mapped elsewhere.
class ChainGuest {
 public:
  ChainGuest() {
    for (std::uint64_t offset = 0; offset < kBytes; offset += 4096)
      arena_.map(base() + offset, ram_ + offset);
  }

  [[nodiscard]] static KernelVirt base() { return KernelVirt(0xffff'8880'0000'0000); }
  [[nodiscard]] static KernelVirt unmapped() { return base() + kBytes; }
  /// The i-th node: 64 bytes.
  [[nodiscard]] static KernelVirt node(std::uint64_t i) { return base() + i * 64; }

  /// Stores `value` in the word at `address`.
  void put(KernelVirt address, std::uint64_t value) { arena_.put(ram_ + (address - base()), value); }
  void link(KernelVirt from, KernelVirt to) { put(from, to.value()); }
  template <class T>
  void put_value(KernelVirt address, T value) {
    arena_.put(ram_ + (address - base()), value);
  }
  /// Takes the page at `page` out of the mapping.
  void unmap(KernelVirt page) { arena_.put(arena_.entry(arena_.table().root, page, 4096), std::uint64_t{0}); }
  [[nodiscard]] Translator translator() const { return arena_.translator(); }

 private:
  static constexpr std::uint64_t kBytes = 16 * 4096;
  FakeMemory arena_{1U << 20};
  GuestPhys ram_ = arena_.allocate(kBytes, 4096);
};

}  // namespace ktstr::introspect::test
