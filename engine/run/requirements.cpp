#include "engine/run/requirements.h"

#include <algorithm>

#include "engine/run/scheduler_setup.h"

namespace ktstr::engine {
namespace {

bool uses_ext(const WorkGroup& work) {
  return std::holds_alternative<ExtPolicy>(work.policy);
}
bool uses_ext(const CgroupDef& def) {
  return std::any_of(def.works.begin(), def.works.end(), [](const auto& work) { return uses_ext(work); });
}
bool uses_ext(const std::map<std::string, CgroupDef>& cgroups) {
  return std::any_of(cgroups.begin(), cgroups.end(),
                     [](const auto& entry) { return uses_ext(entry.second); });
}
bool uses_ext(const Op& op) {
  return std::visit(
      [](const auto& kind) {
        if constexpr (requires { kind.def; })
          return uses_ext(kind.def);
        else if constexpr (requires { kind.work; })
          return uses_ext(kind.work);
        else
          return false;
      },
      op);
}
bool uses_ext(const Step& step) {
  return uses_ext(step.setup) ||
         std::any_of(step.ops.begin(), step.ops.end(), [](const auto& op) { return uses_ext(op); });
}

}  // namespace

std::optional<std::string> unmet_requirement(const Scenario& scenario, const vmm::KernelMetadata& kernel) {
  const auto schedulers = schedulers_of(scenario);
  const bool attaches =
      std::any_of(schedulers.begin(), schedulers.end(), [](const auto* def) { return def->path; });
  if (attaches && !kernel.sched_ext)
    return "the scenario attaches a sched_ext scheduler, and kernel " + kernel.release + " has no sched_ext";
  const bool needs_ext = uses_ext(scenario.cgroups) || uses_ext(scenario.backdrop.cgroups) ||
                         std::any_of(scenario.steps.begin(), scenario.steps.end(),
                                     [](const auto& step) { return uses_ext(step); });
  if (needs_ext && !kernel.sched_ext)
    return "the scenario uses the policy ext, and kernel " + kernel.release + " has no sched_ext";
  return std::nullopt;
}

}  // namespace ktstr::engine
