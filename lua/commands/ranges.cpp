#include "lua/commands/ranges.h"

#include <fmt/format.h>

#include <charconv>

namespace ktstr::lua {

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  auto description = fmt::format("{} to {}", least, most);
  const auto check = [least, most, description](const std::string& text) {
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number);
    const bool inside = error == std::errc{} && last == end && number >= least && number <= most;
    return inside ? std::string() : fmt::format("\"{}\" is not a whole number from {}", text, description);
  };
  return {check, description};
}

Result<Duration> duration_between(std::string_view option, std::string_view text, Duration least,
                                  Duration most) {
  auto duration = parse_duration(text);
  if (!duration) return std::move(duration.error()).with_context(option);
  if (*duration < least || *duration > most)
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} {}: takes {} to {}", option, text,
                                                          format_duration(least), format_duration(most))};
  return *duration;
}

}  // namespace ktstr::lua
