// Durations, sizes and moments as people write them ("50ms", "64K"); durations and sizes also back.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr {

/// A span of time in ns. Its own type so that a described field reads and prints it with a unit.
struct Duration {
  std::int64_t ns = 0;

  constexpr Duration() = default;
  constexpr explicit Duration(std::int64_t nanoseconds) : ns(nanoseconds) {}
  template <class Rep, class Period>
  constexpr Duration(std::chrono::duration<Rep, Period> d)
      : ns(std::chrono::duration_cast<std::chrono::nanoseconds>(d).count()) {}

  [[nodiscard]] constexpr std::chrono::nanoseconds chrono() const { return std::chrono::nanoseconds(ns); }
  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
  friend constexpr auto operator<=>(Duration, Duration) = default;
};

/// A number of bytes.
struct ByteSize {
  std::uint64_t bytes = 0;
  friend constexpr auto operator<=>(ByteSize, ByteSize) = default;
};

/// "50ms", "1.5s", "2m", "1h", "100us", "7ns": a non-negative number with a unit. Errors name the text and
/// the units.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// "64K", "512M", "2G", "4096B" (powers of 1024, optional "iB"/"B" ending): errors name the text and the
/// units.
[[nodiscard]] Result<ByteSize> parse_byte_size(std::string_view text);

/// The shortest exact spelling: 50ms, 1500us. parse_duration(format_duration(d)) == d for d >= 0.
[[nodiscard]] std::string format_duration(Duration duration);
/// The shortest exact spelling: 64K, 512M. parse_byte_size(format_byte_size(s)) == s.
[[nodiscard]] std::string format_byte_size(ByteSize size);
/// "2026-11-30T02:52:16Z" (RFC 3339).
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point time);

}  // namespace ktstr
