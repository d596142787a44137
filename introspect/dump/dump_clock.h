// DumpClock: how long a dump has taken, and whether it may go on.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace ktstr::introspect {

class DumpClock {
 public:
  using Clock = std::chrono::steady_clock;

  explicit DumpClock(std::optional<Clock::time_point> deadline) : deadline_(deadline) {}

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
  std::optional<Clock::time_point> deadline_;
  std::optional<std::uint64_t> truncated_at_us_;
};

}  // namespace ktstr::introspect
