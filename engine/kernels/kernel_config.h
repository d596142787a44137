// What the text of a kernel's .config says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::engine {

/// Whether a kernel of these options can run the agent: guests load no modules, so what it needs must be
/// built in. `config`: the text of a .config; an option that it does not name is taken to be there, as names
/// change. Errors (kInvalidArgument) name every option that is missing, and what it is for.
[[nodiscard]] Status check_agent_needs(std::string_view config);

/// How often the kernel's tick comes: CONFIG_HZ in the text of a .config. nullopt: it does not say, or
/// nothing that a kernel can have.
[[nodiscard]] std::optional<std::uint32_t> tick_rate(std::string_view config);

}  // namespace ktstr::engine
