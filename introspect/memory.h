// PhysicalMemory: what every walker reads from, be it a running guest, a frozen one, a saved image or a
// test's fake; WritableMemory: that which may be changed, for the few things that are.
#pragma once

#include <concepts>
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

/// Writing is apart from PhysicalMemory, so that nobody who only reads can do it.
class WritableMemory {
 public:
  virtual ~WritableMemory() = default;

  /// Stores `bytes` at `address`: every aligned 8-, 4- or 2-byte piece in one access, as a guest's own store
  /// would be seen. False, with nothing written, when any byte lies outside RAM.
  [[nodiscard]] virtual bool write(GuestPhys address, std::span<const std::byte> bytes) = 0;
};

/// Whatever reads kernel memory: a Translator, a Kernel.
template <class M>
concept KernelReader = requires(const M& memory, KernelVirt address, std::span<std::byte> out) {
  { memory.read_bytes(address, out) } -> std::same_as<bool>;
};

/// The T at `address`, or nullopt when any byte of it can't be read.
template <class T, KernelReader Memory>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::optional<T> read_value(const Memory& memory, KernelVirt address) {
  static_assert(!std::is_same_v<T, bool>, "a guest's byte need not be 0 or 1: read std::uint8_t");
  T value;
  if (!memory.read_bytes(address, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
  return value;
}

}  // namespace ktstr::introspect
