// FuzzInput: a fuzzer's bytes, taken piece by piece.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ktstr::fuzz {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : bytes_(std::as_bytes(std::span(data, size))) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  /// The next T; what the input does not hold is 0.
  template <class T>
  [[nodiscard]] T take() {
    T value{};
    const auto piece = take_bytes(sizeof(T));
    std::memcpy(&value, piece.data(), piece.size());
    return value;
  }
  /// The next `count` bytes, or as many as there are.
  [[nodiscard]] std::span<const std::byte> take_bytes(std::size_t count) {
    const auto piece = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(piece.size());
    return piece;
  }
  [[nodiscard]] std::span<const std::byte> rest() { return take_bytes(bytes_.size()); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace ktstr::fuzz
