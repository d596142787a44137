// Text out of fixed arrays of the kernel's.
#pragma once

#include <algorithm>
#include <array>
#include <string>

namespace ktstr::introspect {

/// The characters before the first NUL; all of them when there is none.
template <std::size_t N>
[[nodiscard]] std::string until_nul(const std::array<char, N>& text) {
  return std::string(text.begin(), std::find(text.begin(), text.end(), '\0'));
}

}  // namespace ktstr::introspect
