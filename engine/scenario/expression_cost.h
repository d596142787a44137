// Regular expressions of scripts that would cost too much.
#pragma once

#include <string_view>

namespace ktstr::engine {

/// Why this POSIX extended expression is refused before the C library sees it; nullptr for one that may pass.
/// regcomp() recurses for each parenthesis, and makes copies of what "+" and braces repeat; regexec() tries
/// all ways to take back references. So one of a script may have 256 bytes, 5 parentheses inside each other,
/// one pair of braces with numbers up to 99, and no back references.
[[nodiscard]] const char* costs_too_much(std::string_view expression);

}  // namespace ktstr::engine
