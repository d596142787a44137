#include "vmm/qemu/machine_plan.h"

#include <fmt/format.h>

#include "vmm/apic_id.h"
#include "vmm/memory_plan.h"
#include "vmm/performance.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::size_t kMaxNodes = 128;  // QEMU's MAX_NODES

Error cannot(const Topology& topology, const std::string& why) {
  return {ErrorCode::kInvalidArgument, "QEMU cannot express topology " + topology.to_string() + ": " + why};
}

}  // namespace

Status check_topology(const Topology& topology) {
  if (const auto id = largest_apic_id(topology); id > kLargestXapicId)
    return cannot(topology,
                  fmt::format("its last CPU would have APIC id {}, the largest is {}", id, kLargestXapicId));
  if (topology.nodes > kMaxNodes)
    return cannot(topology, fmt::format("{} NUMA nodes, the most are {}", topology.nodes, kMaxNodes));
  return ok();
}

Result<MachinePlan> plan_machine(const MachineConfig& config) {
  const auto& topology = config.topology;
  KTSTR_TRY(check_performance(config.performance));
  if (const auto missing = not_on_qemu(config.performance))
    return Error{ErrorCode::kUnavailable,
                 *missing + " are to be had on ktstr's own machine (backend kvm) only, not on QEMU"};
  KTSTR_TRY(check_topology(topology));
  auto banks = KTSTR_TRY(plan_banks(config));
  return MachinePlan{topology.nodes == 1 ? MachineType::kMicrovm : MachineType::kPc, std::move(banks)};
}

}  // namespace ktstr::vmm::qemu
