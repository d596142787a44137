// ReadBudget: what one look at a guest may still take, in time and in bytes that are kept of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace ktstr::introspect {

/// One for all parts of a dump, so that no number of maps, types or pointers costs more than it. One thread
/// at a time.
class ReadBudget {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ReadBudget(std::uint64_t bytes, std::optional<Clock::time_point> deadline = {})
      : bytes_left_(bytes), deadline_(deadline) {}

  /// Takes the bytes for what is about to be kept. False, and nothing is taken, when there are not so many
  /// left.
  [[nodiscard]] bool take(std::uint64_t bytes) {
    const bool enough = bytes <= bytes_left_;
    if (enough) bytes_left_ -= bytes;
    refused_ = refused_ || !enough;
    return enough;
  }
  [[nodiscard]] std::uint64_t bytes_left() const { return bytes_left_; }
  /// Whether something was not kept for want of bytes.
  [[nodiscard]] bool refused() const { return refused_; }

  /// Whether the deadline has passed. The first time it has is remembered.
  [[nodiscard]] bool expired() {
    if (!truncated_at_us_ && deadline_ && Clock::now() > *deadline_) truncated_at_us_ = elapsed_ns() / 1000;
    return truncated_at_us_.has_value();
  }
  [[nodiscard]] std::optional<std::uint64_t> truncated_at_us() const { return truncated_at_us_; }
  [[nodiscard]] std::uint64_t elapsed_ns() const {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - start_).count());
  }

 private:
  Clock::time_point start_ = Clock::now();
  std::uint64_t bytes_left_;
  bool refused_ = false;
  std::optional<Clock::time_point> deadline_;
  std::optional<std::uint64_t> truncated_at_us_;
};

/// For what may do without: no budget is one without end.
[[nodiscard]] inline bool take_from(ReadBudget* budget, std::uint64_t bytes) {
  return budget == nullptr || budget->take(bytes);
}

}  // namespace ktstr::introspect
