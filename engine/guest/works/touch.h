// Striding over a buffer, for the types that load the caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/units.h"

namespace ktstr::engine::guest {

/// A buffer and a place in it; each touch reads and writes one byte and goes on by the stride, around the
/// end.
class StridedBuffer {
 public:
  StridedBuffer(ByteSize size, std::uint32_t stride)
      : bytes_(size.bytes ? size.bytes : 1), stride_(stride ? stride : 1) {}

  void touch(std::uint64_t times) {
    volatile unsigned char* bytes = bytes_.data();
    for (std::uint64_t i = 0; i < times; ++i) {
      bytes[at_] = static_cast<unsigned char>(bytes[at_] + 1);
      at_ += stride_;
      if (at_ >= bytes_.size()) at_ %= bytes_.size();
    }
  }
  /// Touches of one pass over the buffer.
  [[nodiscard]] std::uint64_t touches_per_pass() const { return (bytes_.size() + stride_ - 1) / stride_; }

 private:
  std::vector<unsigned char> bytes_;
  std::size_t stride_;
  std::size_t at_ = 0;
};

}  // namespace ktstr::engine::guest
