// The guest agent's executable, carried inside the program.
#pragma once

#include <cstddef>
#include <span>

namespace ktstr::engine {

/// The bytes of ktstr-agent, a static ELF executable. Valid as long as the program runs.
[[nodiscard]] std::span<const std::byte> agent_image();

}  // namespace ktstr::engine
