// PhysicalMemory: what every walker reads from, be it a running guest, a frozen one, a saved image or a
// test's fake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "engine/base/address.h"

namespace ktstr::introspect {

/// Guest-physical memory. Implementations are safe to read from several threads; the guest may change bytes
/// at any time.
class PhysicalMemory {
 public:
  virtual ~PhysicalMemory() = default;

  /// Copies out.size() bytes at `address`. False, and `out` unspecified, when any byte lies outside RAM.
  [[nodiscard]] virtual bool read(GuestPhys address, std::span<std::byte> out) const = 0;

  /// One past the highest RAM address, for scans.
  [[nodiscard]] virtual GuestPhys end() const = 0;

  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> read_value(GuestPhys address) const {
    T value;
    if (!read(address, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
    return value;
  }
};

}  // namespace ktstr::introspect
