// A BPF arena's addresses, and reading at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/address.h"
#include "introspect/bpf/contents.h"
#include "introspect/translator.h"

namespace ktstr::introspect {

/// The most that an arena spans: programs address it with 32 bits.
inline constexpr std::uint64_t kMaxArenaBytes = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kArenaPageBytes = 4096;

/// One arena's addresses. Programs and user space name a byte by a user address; the kernel sees it at
/// kern_vm_start plus the low 32 bits of that.
struct ArenaWindow {
  std::uint64_t user_vm_start = 0;
  KernelVirt kern_vm_start;
  std::optional<GuestPhys> scratch_page;  ///< stands in for pages that were touched without being allocated

  /// Whether `address` is in the 4 GB from user_vm_start; never when no user address was chosen yet (0).
  [[nodiscard]] bool contains(std::uint64_t address) const {
    return user_vm_start != 0 && address - user_vm_start < kMaxArenaBytes;
  }
  [[nodiscard]] KernelVirt kernel_address(std::uint64_t address) const {
    return kern_vm_start + static_cast<std::uint32_t>(address);
  }
  /// Whether the low 32 bits of an address count from the window's start.
  [[nodiscard]] bool is_aligned() const { return user_vm_start % kMaxArenaBytes == 0; }
};

/// The addresses of an arena map that was read.
[[nodiscard]] ArenaWindow window_of(const ArenaContents& arena);

/// Reads an arena's allocated pages by user address. Safe from several threads.
class ArenaReader {
 public:
  /// `translator` must outlive the reader.
  ArenaReader(const Translator& translator, const ArenaWindow& window)
      : translator_(&translator), window_(window) {}

  [[nodiscard]] const ArenaWindow& window() const { return window_; }
  [[nodiscard]] const Translator& translator() const { return *translator_; }

  /// Copies out.size() bytes at a user address (its low 32 bits count). False, and `out` unspecified, when
  /// any of them is in no allocated page or beyond the arena.
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const;

 private:
  const Translator* translator_;
  ArenaWindow window_;
};

}  // namespace ktstr::introspect
