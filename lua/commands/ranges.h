// Numbers and times on the command line, within what makes sense.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::lua {

/// Takes whole numbers of the range only: CLI11 itself makes 18446744073709551615 of -1.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// The duration that an option's text says. Errors name the option.
[[nodiscard]] Result<Duration> duration_between(std::string_view option, std::string_view text,
                                                Duration least, Duration most);

}  // namespace ktstr::lua
