// The nearest known name to a misspelt one, for error messages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ktstr {

/// The candidate with the smallest edit distance to `name`, if it is near enough to be a plausible
/// misspelling.
[[nodiscard]] std::optional<std::string_view> nearest_name(std::string_view name,
                                                           std::span<const std::string_view> candidates);

/// " (did you mean \"x\"?)", or " (known: a, b, c)" when nothing is near and the list is short, or "".
[[nodiscard]] std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace ktstr
