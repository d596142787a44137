// DamagedMemory: a saved guest with some words replaced, and a record of which pages a reader needs.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "introspect/memory.h"

namespace ktstr::fuzz {

inline constexpr std::uint64_t kPageMask = 4095;

/// Not for several threads.
class DamagedMemory final : public introspect::PhysicalMemory {
 public:
  explicit DamagedMemory(const introspect::PhysicalMemory& whole) : whole_(whole) {}

  /// Replaces the aligned 8 bytes at `address`.
  void damage(GuestPhys address, std::uint64_t word) { words_[address.value() & ~std::uint64_t{7}] = word; }
  void heal() { words_.clear(); }

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    if (!whole_.read(address, out)) return false;
    const std::uint64_t begin = address.value(), end = begin + out.size();
    for (auto word = words_.lower_bound(begin & ~std::uint64_t{7}); word != words_.end() && word->first < end;
         ++word)
      overlay(word->first, word->second, begin, out);
    return true;
  }
  [[nodiscard]] GuestPhys end() const override { return whole_.end(); }

 private:
  static void overlay(std::uint64_t at, std::uint64_t word, std::uint64_t begin, std::span<std::byte> out) {
    std::byte bytes[8];
    std::memcpy(bytes, &word, sizeof(word));
    for (std::uint64_t i = 0; i < sizeof(word); ++i)
      if (at + i >= begin && at + i - begin < out.size()) out[at + i - begin] = bytes[i];
  }

  const introspect::PhysicalMemory& whole_;
  std::map<std::uint64_t, std::uint64_t> words_;
};

/// Remembers every page that is read. Not for several threads.
class RecordingMemory final : public introspect::PhysicalMemory {
 public:
  explicit RecordingMemory(const introspect::PhysicalMemory& whole) : whole_(whole) {}

  [[nodiscard]] bool read(GuestPhys address, std::span<std::byte> out) const override {
    for (std::uint64_t page = address.value() & ~kPageMask; page < address.value() + out.size(); page += 4096)
      pages_.insert(page);
    return whole_.read(address, out);
  }
  [[nodiscard]] GuestPhys end() const override { return whole_.end(); }
  [[nodiscard]] std::vector<std::uint64_t> pages() const { return {pages_.begin(), pages_.end()}; }

 private:
  const introspect::PhysicalMemory& whole_;
  mutable std::set<std::uint64_t> pages_;
};

}  // namespace ktstr::fuzz
