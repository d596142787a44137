// How a process ended, in words.
#pragma once

#include <string>

#include "engine/protocol/scheduler_messages.h"

namespace ktstr::engine::protocol {

/// "exited 1", "killed by SIGSEGV", "killed by the agent after its time was over", "could not be waited for
/// (ECHILD)"; what is none of these as it is.
[[nodiscard]] std::string exit_text(const ExitInfo& exit);

}  // namespace ktstr::engine::protocol
