#include "engine/base/units.h"

#include <time.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace ktstr {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array kDurationUnits = {
    Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1}};
constexpr std::array kSizeUnits = {Unit{"T", 1ULL << 40}, Unit{"G", 1ULL << 30}, Unit{"M", 1ULL << 20},
                                   Unit{"K", 1ULL << 10}, Unit{"B", 1}};

/// number * factor as an exact integer; digits may have a fraction.
Result<std::uint64_t> scale(std::string_view number, std::uint64_t factor, const Error& bad) {
  std::uint64_t whole = 0;
  const char* end = number.data() + number.size();
  if (auto [next, error] = std::from_chars(number.data(), end, whole); error == std::errc{} && next == end) {
    if (whole > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) return bad;
    return whole * factor;
  }
  double value = 0;
  auto [next, error] = std::from_chars(number.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || next != end || !(value >= 0)) return bad;
  const double scaled = std::round(value * static_cast<double>(factor));
  if (scaled > 9.2e18) return bad;
  return static_cast<std::uint64_t>(scaled);
}

template <std::size_t N>
Result<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units, const char* expected) {
  const Error bad{ErrorCode::kInvalidArgument, "\"" + std::string(text) + "\" is not " + expected};
  const auto split = text.find_first_not_of("0123456789.");
  if (split == 0 || split == std::string_view::npos) return bad;
  for (const auto& unit : units)
    if (text.substr(split) == unit.suffix) return scale(text.substr(0, split), unit.factor, bad);
  return bad;
}

template <std::size_t N>
std::string format(std::uint64_t amount, const std::array<Unit, N>& units, std::string_view zero_unit) {
  if (amount == 0) return "0" + std::string(zero_unit);
  for (const auto& unit : units)
    if (amount % unit.factor == 0) return std::to_string(amount / unit.factor) + std::string(unit.suffix);
  return std::to_string(amount);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto ns =
      KTSTR_TRY(parse(text, kDurationUnits, "a duration such as \"50ms\" (units: ns us ms s m h)"));
  return Duration(static_cast<std::int64_t>(ns));
}

Result<ByteSize> parse_byte_size(std::string_view text) {
  auto number = text;
  if (number.ends_with("iB"))
    number.remove_suffix(2);
  else if (number.size() > 1 && number.ends_with("B") &&
           std::string_view("KMGT").find(number[number.size() - 2]) != std::string_view::npos)
    number.remove_suffix(1);
  auto parsed = parse(number, kSizeUnits, "a size");
  if (!parsed)
    return invalid_argument("\"" + std::string(text) +
                            "\" is not a size such as \"64K\" (units: B K M G T, powers of 1024)");
  return ByteSize{*parsed};
}

std::string format_duration(Duration duration) {
  if (duration.ns < 0) {
    // Through unsigned arithmetic, so that the most negative value has a spelling too.
    return "-" + format(0 - static_cast<std::uint64_t>(duration.ns), kDurationUnits, "s");
  }
  return format(static_cast<std::uint64_t>(duration.ns), kDurationUnits, "s");
}

std::string format_byte_size(ByteSize size) {
  return format(size.bytes, kSizeUnits, "B");
}

std::string utc_text(std::chrono::system_clock::time_point time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  struct tm utc {};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace ktstr
