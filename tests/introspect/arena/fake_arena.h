// FakeArena: an arena in a test's own memory.
#pragma once

#include <map>

#include "introspect/arena/arena_window.h"
#include "tests/introspect/fake_memory.h"

namespace ktstr::introspect::test {

inline constexpr std::uint64_t kUserStart = std::uint64_t{1} << 44;
inline constexpr KernelVirt kKernelStart(0xffff'c900'1000'8000);

/// Pages are allocated as they are written to. Offsets count from the arena's start.
class FakeArena {
 public:
  explicit FakeArena(std::uint64_t user_start = kUserStart)
      : translator_(memory_.translator()), window_{user_start, kKernelStart, std::nullopt} {}

  [[nodiscard]] static std::uint64_t user(std::uint64_t offset) { return kUserStart + offset; }
  [[nodiscard]] ArenaWindow& window() { return window_; }
  [[nodiscard]] ArenaReader reader() const { return {translator_, window_}; }
  [[nodiscard]] FakeMemory& memory() { return memory_; }

  /// The physical page at `offset`, allocated if it was not.
  GuestPhys page(std::uint64_t offset) {
    const std::uint64_t begin = offset / kArenaPageBytes * kArenaPageBytes;
    auto& found = pages_[begin];
    if (found.is_null()) {
      found = memory_.allocate(kArenaPageBytes, kArenaPageBytes);
      memory_.map(kKernelStart + begin, found);
    }
    return found;
  }

  /// Precondition: the value does not cross a page.
  template <class T>
  void put(std::uint64_t offset, const T& value) {
    memory_.put(page(offset) + offset % kArenaPageBytes, value);
  }

 private:
  FakeMemory memory_{2U << 20};
  Translator translator_;
  ArenaWindow window_;
  std::map<std::uint64_t, GuestPhys> pages_;
};

}  // namespace ktstr::introspect::test
