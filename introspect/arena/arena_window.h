// A BPF arena's addresses, and reading at them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/address.h"
#include "introspect/bpf/contents.h"

namespace ktstr::introspect {

class Translator;

/// The most that an arena spans: programs address it with 32 bits.
inline constexpr std::uint64_t kMaxArenaBytes = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kArenaPageBytes = 4096;

/// A byte of an arena: the low 32 bits of its user address, by which programs and the kernel know it.
using ArenaPlace = std::uint32_t;

/// One arena's addresses. Programs and user space name a byte by a user address; the kernel sees it at
/// kern_vm_start plus the low 32 bits of that.
struct ArenaWindow {
  std::uint64_t user_vm_start = 0;  ///< 0: no user address was chosen yet
  KernelVirt kern_vm_start;
  std::optional<GuestPhys> scratch_page;  ///< stands in for pages that were touched without being allocated
  std::uint64_t size_bytes = kMaxArenaBytes;

  /// Where in the arena an address is. All 64 bits count: it lies in the user mapping or in the kernel's.
  /// nullopt for any other, whatever its low 32 bits are.
  [[nodiscard]] std::optional<ArenaPlace> place_of(std::uint64_t address) const {
    const ArenaPlace first = static_cast<ArenaPlace>(user_vm_start);
    if (user_vm_start != 0 && address - user_vm_start < length()) return static_cast<ArenaPlace>(address);
    const std::uint64_t from_kernel_start = address - (kern_vm_start + first).value();
    if (kern_vm_start.is_null() || from_kernel_start >= length()) return std::nullopt;
    return static_cast<ArenaPlace>(first + from_kernel_start);
  }
  [[nodiscard]] bool contains(std::uint64_t address) const { return place_of(address).has_value(); }
  [[nodiscard]] KernelVirt kernel_address(ArenaPlace place) const { return kern_vm_start + place; }
  /// Bytes up to the end of the arena, or of the 4 GB in which places are told apart.
  [[nodiscard]] std::uint64_t length() const {
    return std::min(size_bytes, kMaxArenaBytes - static_cast<ArenaPlace>(user_vm_start));
  }
  /// Whether the arena lies within 4 GB that begin at a multiple of 4 GB, as the kernel sees to.
  [[nodiscard]] bool is_aligned() const { return length() == size_bytes; }
};

/// The addresses of an arena map of `max_entries` pages that was read.
[[nodiscard]] ArenaWindow window_of(const ArenaContents& arena, std::uint64_t max_entries);

/// Reads an arena's allocated pages by user address. Safe from several threads.
class ArenaReader {
 public:
  /// `translator` must outlive the reader.
  ArenaReader(const Translator& translator, const ArenaWindow& window)
      : translator_(&translator), window_(window) {}

  [[nodiscard]] const ArenaWindow& window() const { return window_; }
  [[nodiscard]] const Translator& translator() const { return *translator_; }

  /// Copies out.size() bytes at an address of the arena's. False, and `out` unspecified, when any of them is
  /// outside the arena or in no allocated page.
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const;
  /// The same from a place of the arena's on.
  [[nodiscard]] bool read_at(std::uint64_t place, std::span<std::byte> out) const;

 private:
  const Translator* translator_;
  ArenaWindow window_;
};

}  // namespace ktstr::introspect
