// Mutator: damage to the pages of a saved guest, three kinds of it, the same for the same seed and image.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "introspect/kernel.h"
#include "tests/introspect/damaged_memory.h"

namespace ktstr::introspect::test {

enum class Damage {
  kNoise,            ///< random bytes all over the page
  kFlippedBit,       ///< one bit of one word
  kForeignPointers,  ///< up to eight of its pointers, replaced by other pointers of the guest
};

class Mutator {
 public:
  /// `pages` is where other pointers are taken from. Both must outlive it.
  Mutator(const Kernel& kernel, std::span<const GuestPhys> pages, std::uint64_t seed);

  /// Changes one page; what else `memory` has changed stays.
  void damage(DamagedMemory& memory, GuestPhys page, Damage kind);
  /// Any of these.
  [[nodiscard]] GuestPhys choose(std::span<const GuestPhys> pages) { return pages[below(pages.size())]; }

 private:
  using Words = std::array<std::uint64_t, kPageBytes / 8>;

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  [[nodiscard]] bool is_pointer(std::uint64_t word) const;
  [[nodiscard]] Words noise();
  void replace_pointers(Words& words);

  const Kernel& kernel_;
  std::mt19937_64 random_;
  std::vector<std::uint64_t> pointers_;
};

}  // namespace ktstr::introspect::test
