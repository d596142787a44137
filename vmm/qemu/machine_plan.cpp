#include "vmm/qemu/machine_plan.h"

#include <fmt/format.h>

#include "vmm/apic_id.h"
#include "vmm/memory_plan.h"
#include "vmm/performance.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::size_t kMaxNodes = 128;     // QEMU's MAX_NODES
constexpr std::uint32_t kMaxApicId = 254;  // 255 is the broadcast; more needs x2APIC, which TCG lacks

Error cannot(const MachineConfig& config, const std::string& why) {
  return {ErrorCode::kInvalidArgument,
          "QEMU cannot express topology " + config.topology.to_string() + ": " + why};
}

}  // namespace

Result<MachinePlan> plan_machine(const MachineConfig& config) {
  const auto& topology = config.topology;
  KTSTR_TRY_STATUS(check_performance(config.performance));
  if (const auto missing = not_on_qemu(config.performance))
    return Error{ErrorCode::kUnavailable,
                 *missing + " are to be had on ktstr's own machine (backend kvm) only, not on QEMU"};
  if (const auto id = largest_apic_id(topology); id > kMaxApicId)
    return cannot(config,
                  fmt::format("its last CPU would have APIC id {}, the largest is {}", id, kMaxApicId));
  if (topology.nodes > kMaxNodes)
    return cannot(config, fmt::format("{} NUMA nodes, the most are {}", topology.nodes, kMaxNodes));
  auto banks = KTSTR_TRY(plan_banks(config));
  return MachinePlan{topology.nodes == 1 ? MachineType::kMicrovm : MachineType::kPc, std::move(banks)};
}

}  // namespace ktstr::vmm::qemu
