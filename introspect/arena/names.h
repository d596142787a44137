// Names that allocators, their maps and their payloads have in common.
#pragma once

#include <string_view>

namespace ktstr::introspect {

/// `text` without `suffix` at its end, if it is there.
[[nodiscard]] inline std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

}  // namespace ktstr::introspect
