#include "vmm/qemu/machine_plan.h"

#include <fmt/format.h>

#include "vmm/apic_id.h"
#include "vmm/memory_plan.h"
#include "vmm/performance.h"
#include "vmm/qemu/version.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::size_t kMaxNodes = 128;   // QEMU's MAX_NODES
constexpr std::size_t kMostCpus = 4096;  // of q35 (pc_q35_machine_options, max_cpus)

Error cannot(const Topology& topology, const std::string& why) {
  return invalid_argument("QEMU cannot express topology " + topology.to_string() + ": " + why);
}

bool needs_x2apic(const Topology& topology) {
  return largest_apic_id(topology) > kLargestXapicId;
}

/// With KVM, QEMU has such machines too, but no ktstr has booted one.
Status check_x2apic(const Topology& topology, Accelerator accelerator) {
  const auto too_large = [&](const std::string& limit) {
    return cannot(topology,
                  fmt::format("its last CPU would have APIC id {}, {}", largest_apic_id(topology), limit));
  };
  if (accelerator == Accelerator::kKvm)
    return too_large(fmt::format("the largest with KVM is {}", kLargestXapicId));
  const auto version = installed_version();
  if (!version) return Error(version.error()).with_context("topology " + topology.to_string());
  if (*version >= kFirstWithX2apic) return ok();
  return too_large(fmt::format("the largest of QEMU {}.{} is {}; {}.{} and newer have more", version->major,
                               version->minor, kLargestXapicId, kFirstWithX2apic.major,
                               kFirstWithX2apic.minor));
}

MachineType machine_type(const Topology& topology) {
  if (needs_x2apic(topology)) return MachineType::kQ35;
  return topology.nodes == 1 ? MachineType::kMicrovm : MachineType::kPc;
}

}  // namespace

Status check_topology(const Topology& topology, Accelerator accelerator) {
  if (needs_x2apic(topology)) KTSTR_TRY(check_x2apic(topology, accelerator));
  if (topology.cpus() > kMostCpus)
    return cannot(topology, fmt::format("{} CPUs, the most are {}", topology.cpus(), kMostCpus));
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
  KTSTR_TRY(check_topology(topology, config.accelerator));
  auto banks = KTSTR_TRY(plan_banks(config));
  return MachinePlan{machine_type(topology), std::move(banks)};
}

}  // namespace ktstr::vmm::qemu
