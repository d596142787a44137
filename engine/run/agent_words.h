// What the guest's agent says on the console when it can't go on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ktstr::engine {

/// The last thing that the agent complained of in these console lines, without its name.
[[nodiscard]] std::optional<std::string> agents_last_words(std::string_view console);

}  // namespace ktstr::engine
