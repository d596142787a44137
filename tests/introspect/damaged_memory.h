// DamagedMemory: a saved guest with some pages changed; RecordingMemory: which pages a reader needs.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <unordered_map>
#include <vector>

#include "introspect/memory.h"

namespace ktstr::introspect::test {

inline constexpr std::uint64_t kPageBytes = 4096;
inline constexpr std::uint64_t kPageMask = kPageBytes - 1;

/// Not for several threads. What is not RAM stays so, whatever is written there.
class DamagedMemory final : public PhysicalMemory {
 public:
  using Page = std::array<std::byte, kPageBytes>;

  explicit DamagedMemory(const PhysicalMemory& whole) : whole_(whole) {}

  void replace_page(GuestPhys address, const Page& bytes) { pages_[number_of(address)] = bytes; }
  /// Replaces the aligned 8 bytes around `address`.
  void replace_word(GuestPhys address, std::uint64_t word) {
    const auto [place, is_new] = pages_.try_emplace(number_of(address));
    if (is_new && !whole_.read(GuestPhys(address.value() & ~kPageMask), place->second)) return;
    std::memcpy(place->second.data() + (address.value() & kPageMask & ~std::uint64_t{7}), &word,
                sizeof(word));
  }
  void heal() { pages_.clear(); }

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    if (!whole_.read(address, out)) return false;
    const std::uint64_t end = address.value() + out.size();
    for (std::uint64_t at = address.value(); at < end; at = (at | kPageMask) + 1)
      if (const auto page = pages_.find(at / kPageBytes); page != pages_.end())
        std::memcpy(out.data() + (at - address.value()), page->second.data() + (at & kPageMask),
                    std::min(end, (at | kPageMask) + 1) - at);
    return true;
  }
  [[nodiscard]] GuestPhys end() const override { return whole_.end(); }

 private:
  static std::uint64_t number_of(GuestPhys address) { return address.value() / kPageBytes; }

  const PhysicalMemory& whole_;
  std::unordered_map<std::uint64_t, Page> pages_;
};

/// Remembers every page that is read. Not for several threads.
class RecordingMemory final : public PhysicalMemory {
 public:
  explicit RecordingMemory(const PhysicalMemory& whole) : whole_(whole) {}

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    for (std::uint64_t page = address.value() & ~kPageMask; page < address.value() + out.size();
         page += kPageBytes)
      pages_.insert(page);
    return whole_.read(address, out);
  }
  [[nodiscard]] GuestPhys end() const override { return whole_.end(); }
  /// Their first bytes, ascending.
  [[nodiscard]] std::vector<GuestPhys> pages() const {
    std::vector<GuestPhys> pages;
    for (const std::uint64_t page : pages_) pages.emplace_back(page);
    return pages;
  }

 private:
  const PhysicalMemory& whole_;
  mutable std::set<std::uint64_t> pages_;
};

}  // namespace ktstr::introspect::test
