// How often a kernel's tick comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ktstr::engine {

/// CONFIG_HZ in the text of a .config. nullopt: it does not say, or nothing that a kernel can have.
[[nodiscard]] std::optional<std::uint32_t> tick_rate(std::string_view config);

}  // namespace ktstr::engine
