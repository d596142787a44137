#include "vmm/qemu/machine_plan.h"

#include <fmt/format.h>

#include "vmm/apic_id.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kBankAlignment = 2 * kMiB;
constexpr std::size_t kMaxNodes = 128;     // QEMU's MAX_NODES
constexpr std::uint32_t kMaxApicId = 254;  // 255 is the broadcast; more needs x2APIC, which TCG lacks
constexpr std::uint64_t kKernelBytes =
    192 * kMiB;  // kernel, initramfs twice (packed and unpacked), and room to run
constexpr std::uint64_t kBytesPerCpu = 4 * kMiB;  // per-CPU areas, stacks, run queues

Error cannot(const MachineConfig& config, const std::string& why) {
  return {ErrorCode::kInvalidArgument,
          "QEMU cannot express topology " + config.topology.to_string() + ": " + why};
}

}  // namespace

Result<MachinePlan> plan_machine(const MachineConfig& config) {
  const auto& topology = config.topology;
  if (const auto id = largest_apic_id(topology); id > kMaxApicId)
    return cannot(config,
                  fmt::format("its last CPU would have APIC id {}, the largest is {}", id, kMaxApicId));
  if (topology.nodes > kMaxNodes)
    return cannot(config, fmt::format("{} NUMA nodes, the most are {}", topology.nodes, kMaxNodes));
  const auto least = kKernelBytes + topology.cpus() * kBytesPerCpu;
  if (config.memory.bytes < least)
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{} of memory is too little for {} CPUs: a kernel needs {} to boot",
                    format_byte_size(config.memory), topology.cpus(), format_byte_size(ByteSize{least}))};
  const auto per_node = (config.memory.bytes + topology.nodes - 1) / topology.nodes;
  const auto bank = (per_node + kBankAlignment - 1) / kBankAlignment * kBankAlignment;
  return MachinePlan{topology.nodes == 1 ? MachineType::kMicrovm : MachineType::kPc,
                     std::vector<std::uint64_t>(topology.nodes, bank)};
}

}  // namespace ktstr::vmm::qemu
