// LargeBuffer: zeroed memory for tens of megabytes that are used for a moment.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// Anonymous memory in huge pages, where the host has them: a fault for every 2 MiB and not for every 4 KiB,
/// which under a hypervisor cost some 20 us each.
class LargeBuffer {
 public:
  /// Errors: kIo when the memory is not to be had.
  [[nodiscard]] static Result<LargeBuffer> create(std::size_t bytes);
  LargeBuffer(LargeBuffer&& other) noexcept
      : mapping_(std::exchange(other.mapping_, {})), bytes_(std::exchange(other.bytes_, {})) {}
  LargeBuffer& operator=(LargeBuffer&&) = delete;
  ~LargeBuffer();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  LargeBuffer() = default;
  std::span<std::byte> mapping_;
  std::span<std::byte> bytes_;
};

}  // namespace ktstr::vmm
