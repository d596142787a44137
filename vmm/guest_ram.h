// GuestRam: the guest's memory, made by us, shared with QEMU and mapped here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// One memfd per NUMA node, each mapped shared for as long as this lives. Pages cost host memory once
/// touched.
class GuestRam {
 public:
  /// Errors: kIo when the memory or the address space is not to be had.
  [[nodiscard]] static Result<GuestRam> create(std::span<const std::uint64_t> bank_bytes);
  GuestRam(GuestRam&& other) noexcept : banks_(std::move(other.banks_)) { other.banks_.clear(); }
  GuestRam& operator=(GuestRam&&) = delete;
  ~GuestRam();

  [[nodiscard]] std::size_t bank_count() const { return banks_.size(); }
  /// Preconditions: bank < bank_count().
  [[nodiscard]] int fd(std::size_t bank) const { return banks_[bank].fd.get(); }
  [[nodiscard]] std::span<std::byte> bytes(std::size_t bank) const { return banks_[bank].bytes; }

 private:
  struct Bank {
    Fd fd;
    std::span<std::byte> bytes;
  };
  GuestRam() = default;
  std::vector<Bank> banks_;
};

}  // namespace ktstr::vmm
