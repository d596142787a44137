// Times on the command line, within what makes sense.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::lua {

/// The duration that an option's text says. Errors name the option.
[[nodiscard]] Result<Duration> duration_between(std::string_view option, std::string_view text,
                                                Duration least, Duration most);

}  // namespace ktstr::lua
