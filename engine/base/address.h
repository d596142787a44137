// Addresses of different spaces are different types: only a page walk turns one into another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace ktstr {

/// A byte address in the space named by Space. Arithmetic with byte counts only; wraps like the hardware's.
template <class Space>
class Address {
 public:
  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_null() const { return value_ == 0; }

  friend constexpr Address operator+(Address address, std::uint64_t bytes) {
    return Address(address.value_ + bytes);
  }
  friend constexpr Address operator-(Address address, std::uint64_t bytes) {
    return Address(address.value_ - bytes);
  }
  /// Bytes from b to a (modulo 2^64).
  friend constexpr std::uint64_t operator-(Address a, Address b) { return a.value_ - b.value_; }
  friend constexpr auto operator<=>(Address, Address) = default;

 private:
  std::uint64_t value_ = 0;
};

using GuestPhys = Address<struct GuestPhysSpace>;    ///< guest-physical byte address
using KernelVirt = Address<struct KernelVirtSpace>;  ///< guest-kernel virtual address (a KVA)
using UserVirt = Address<struct UserVirtSpace>;      ///< guest user-space virtual address

}  // namespace ktstr

template <class Space>
struct std::hash<ktstr::Address<Space>> {
  std::size_t operator()(ktstr::Address<Space> address) const noexcept {
    return std::hash<std::uint64_t>{}(address.value());
  }
};
