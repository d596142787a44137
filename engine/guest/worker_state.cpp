#include "engine/guest/worker_state.h"

namespace ktstr::engine::guest {

void set_allowed(WorkerState& state, const std::optional<CpuSet>& cpus) {
  const auto placement = state.placement.load(std::memory_order_relaxed);
  const auto changing = placement % 2 == 0 ? placement + 1 : placement;
  state.placement.store(changing, std::memory_order_seq_cst);
  if (!cpus) return;
  for (auto& word : state.allowed) word = 0;
  for (const auto cpu : cpus->to_vector()) add_cpu(state.allowed, cpu);
  state.placement.store(changing + 1, std::memory_order_seq_cst);
}

}  // namespace ktstr::engine::guest
