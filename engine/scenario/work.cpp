#include "engine/scenario/work.h"

namespace ktstr::engine {

std::size_t work_group_size(const Work& work) {
  if (const auto* fan_out = std::get_if<FutexFanOut>(&work)) return std::size_t{fan_out->receivers} + 1;
  if (const auto* mutex = std::get_if<MutexContention>(&work)) return mutex->contenders;
  const bool is_for_pairs = std::holds_alternative<PipeIo>(work) ||
                            std::holds_alternative<FutexPingPong>(work) ||
                            std::holds_alternative<CachePipe>(work);
  return is_for_pairs ? 2 : 1;
}

std::string work_role(const Work& work, std::size_t member) {
  if (!std::holds_alternative<FutexFanOut>(work)) return {};
  return member == 0 ? "messenger" : "receiver";
}

}  // namespace ktstr::engine
