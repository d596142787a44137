// PciFunction: the configuration space of one PCI function.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/address.h"

namespace ktstr::vmm::kvm {

/// 256 bytes of configuration space with a type 0 header (PCI 3.0, 6.1), of which the guest changes only what
/// may be changed. Not thread-safe: the PciHost that it is inserted into serialises all access.
class PciFunction {
 public:
  static constexpr std::size_t kConfigBytes = 256;

  struct Identity {
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
    std::uint32_t class_code = 0;  ///< class, subclass, programming interface: 24 bits
    std::uint8_t revision = 0;
    std::uint16_t subsystem_vendor = 0;
    std::uint16_t subsystem = 0;
  };
  /// Everything that a snapshot must keep.
  struct State {
    std::array<std::byte, kConfigBytes> config{};
    friend bool operator==(const State&, const State&) = default;
  };
  /// Gets a capability's bytes behind its id and next pointer.
  using CapabilityObserver = std::function<void(std::span<const std::byte> body)>;

  explicit PciFunction(const Identity& identity);
  PciFunction(const PciFunction&) = delete;
  PciFunction& operator=(const PciFunction&) = delete;

  /// A 32-bit memory BAR (6.2.5.1) that stays where it is: writing all ones makes it tell its size, writing
  /// anything else makes it tell `address` again. Precondition: `bytes` is a power of two >= 16, `address` a
  /// multiple of it.
  void add_memory_bar(unsigned index, GuestPhys address, std::uint32_t bytes);

  /// Appends a capability (6.7). The guest may change the bits of `body` that are set in `writable` (as long
  /// as `body`, or empty); `observer` is told after each write to them, and after restore(). Gives its
  /// offset. Precondition: it fits.
  std::uint8_t add_capability(std::uint8_t id, std::span<const std::byte> body,
                              std::span<const std::byte> writable = {}, CapabilityObserver observer = {});

  /// Precondition: [offset, offset + size) lies in one dword of the configuration space.
  void read(std::uint8_t offset, std::span<std::byte> data) const;
  void write(std::uint8_t offset, std::span<const std::byte> data);

  [[nodiscard]] const State& state() const { return state_; }
  void restore(const State& state);

 private:
  struct Bar {
    std::uint8_t offset = 0;
    std::uint32_t address = 0;
    std::uint32_t size_mask = 0;
  };
  struct Capability {
    std::uint8_t body = 0;  ///< offset
    std::uint8_t bytes = 0;
    CapabilityObserver observer;
  };
  template <class T>
  void put(std::size_t offset, T value);
  void observe(const Capability& capability) const;

  State state_;
  std::array<std::byte, kConfigBytes> writable_{};
  std::vector<Bar> bars_;
  std::vector<Capability> capabilities_;
  std::size_t last_pointer_;  ///< offset of the pointer that ends the capability list
  std::size_t free_;          ///< offset of the next capability
};

}  // namespace ktstr::vmm::kvm
