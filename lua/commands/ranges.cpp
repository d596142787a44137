#include "lua/commands/ranges.h"

#include <fmt/format.h>

namespace ktstr::lua {

Result<Duration> duration_between(std::string_view option, std::string_view text, Duration least,
                                  Duration most) {
  auto duration = KTSTR_TRY(parse_duration(text), option);
  if (duration < least || duration > most)
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} {}: takes {} to {}", option, text,
                                                          format_duration(least), format_duration(most))};
  return duration;
}

}  // namespace ktstr::lua
