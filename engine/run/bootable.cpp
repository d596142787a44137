#include "engine/run/bootable.h"

#include <sys/sysinfo.h>

#include <algorithm>

#include "engine/base/result.h"
#include "engine/run/scheduler_setup.h"
#include "engine/scenario/workers.h"
#include "vmm/backend.h"
#include "vmm/linux_boot.h"

namespace ktstr::engine {
namespace {

/// A guest's memory is backed as the guest touches it: by the host's, and when that is full by its swap.
Status check_host_memory(ByteSize memory) {
  struct sysinfo host {};
  if (::sysinfo(&host) != 0) return system_error("sysinfo");
  const ByteSize backing{(std::uint64_t{host.totalram} + host.totalswap) * host.mem_unit};
  if (memory.bytes <= backing.bytes) return ok();
  return invalid_argument("memory: " + format_byte_size(memory) +
                          " is more than this host could back: it has " + format_byte_size(backing) +
                          " of memory and swap");
}

Status check_kernel_arguments(const Scenario& scenario) {
  vmm::MachineConfig config;
  config.kaslr = scenario.kaslr;
  config.kernel_args = kernel_args_of(scenario);
  KTSTR_TRY(vmm::check_command_line(config), "kernel_args");
  return ok();
}

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

Status check_bootable(const Scenario& scenario, vmm::Backend backend) {
  KTSTR_TRY(vmm::expressible(backend, scenario.topology), "topology");
  KTSTR_TRY(check_host_memory(guest_memory(scenario)));
  return check_kernel_arguments(scenario);
}

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
