#include "engine/guest/agent_image.h"

extern "C" {
extern const std::byte ktstr_agent_begin[];
extern const std::byte ktstr_agent_end[];
}

namespace ktstr::engine {

std::span<const std::byte> agent_image() {
  return {ktstr_agent_begin, ktstr_agent_end};
}

}  // namespace ktstr::engine
