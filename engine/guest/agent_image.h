// The guest agent's executable, carried inside the program.
#pragma once

#include <cstddef>
#include <span>

extern "C" const std::byte ktstr_agent_begin[], ktstr_agent_end[];  // agent_image.S

namespace ktstr::engine {

/// The bytes of ktstr-agent, a static ELF executable. Valid as long as the program runs.
[[nodiscard]] inline std::span<const std::byte> agent_image() {
  return {ktstr_agent_begin, ktstr_agent_end};
}

}  // namespace ktstr::engine
