#include "engine/scenario/schedulers_of.h"

namespace ktstr::engine {

std::vector<const SchedulerDef*> schedulers_of(const Scenario& scenario) {
  std::vector<const SchedulerDef*> all;
  if (scenario.scheduler) all.push_back(&*scenario.scheduler);
  for (const auto& step : scenario.steps)
    for (const auto& op : step.ops)
      std::visit(
          [&](const auto& kind) {
            if constexpr (requires { kind.scheduler; }) all.push_back(&kind.scheduler);
          },
          op);
  return all;
}

void take_default_topology(Scenario& scenario, const Value& tree) {
  if (tree.find("topology")) return;
  for (const auto* def : schedulers_of(scenario))
    if (def->topology) {
      scenario.topology = *def->topology;
      return;
    }
}

}  // namespace ktstr::engine
