// Files of lines "key: value".
#pragma once

#include <string_view>

#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {

/// Calls take(key, value), both trimmed, for each complete line that has a colon.
template <class Take>
void for_each_keyed_line(std::string_view text, Take take) {
  while (const auto line = next_line(text)) {
    const auto colon = line->find(':');
    if (colon != std::string_view::npos) take(trim(line->substr(0, colon)), trim(line->substr(colon + 1)));
  }
}

}  // namespace ktstr::introspect::ctprof
