#include "engine/protocol/scheduler_messages.h"

#include "engine/base/system_names.h"

namespace ktstr::engine::protocol {

std::string exit_text(const ExitInfo& exit) {
  if (exit.how == "signaled") return "killed by " + (exit.code ? signal_name(*exit.code) : "a signal");
  if (exit.how == "timed out") return "killed by the agent after its time was over";
  if (exit.how == "wait failed")
    return "could not be waited for" + (exit.code ? " (" + errno_name(*exit.code) + ")" : "");
  return exit.how + (exit.code ? " " + std::to_string(*exit.code) : "");
}

}  // namespace ktstr::engine::protocol
