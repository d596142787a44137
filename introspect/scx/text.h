// Text out of fixed arrays of the kernel's.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "engine/base/utf8.h"

namespace ktstr::introspect {

/// The characters before the first NUL, as valid UTF-8; all of them when there is none.
template <std::size_t N>
[[nodiscard]] std::string until_nul(const std::array<char, N>& text) {
  const auto end = std::find(text.begin(), text.end(), '\0');
  return valid_utf8({text.data(), static_cast<std::size_t>(end - text.begin())});
}

}  // namespace ktstr::introspect
