// Decompression of kernel payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// Grows by what a decompressor writes, never beyond `limit` bytes.
class BoundedOutput {
 public:
  explicit BoundedOutput(std::size_t limit) : limit_(limit) {}

  /// Space to write to next: not empty unless `limit` bytes are written. Valid until the next call of any
  /// member.
  [[nodiscard]] std::span<std::byte> room();
  /// The first `size` bytes of the last room() are written. Precondition: size <= room().size().
  void commit(std::size_t size) { written_ += size; }
  [[nodiscard]] bool full() const { return written_ == limit_; }
  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] std::vector<std::byte> take();

 private:
  std::size_t limit_;
  std::size_t written_ = 0;
  std::vector<std::byte> bytes_;
};

/// One compression a kernel payload can have.
struct Compression {
  std::string_view name;   ///< "zstd"
  std::string_view magic;  ///< the payload's first bytes
  /// Null: known but not supported. Errors (kCorrupt): where and why the stream is damaged, or that it gives
  /// more than the limit.
  Status (*decompress)(std::span<const std::byte> compressed, BoundedOutput& output);
  /// Whether the kernel's build appends the decompressed size (u32, little-endian) after the stream; gzip
  /// ends in its own.
  bool size_appended;
};

/// The compression whose magic `payload` begins with, or nullptr.
[[nodiscard]] const Compression* find_compression(std::span<const std::byte> payload);

}  // namespace ktstr::vmm
