#include "vmm/memory_plan.h"

#include <fmt/format.h>

#include "engine/base/units.h"

namespace ktstr::vmm {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kBankAlignment = 2 * kMiB;
/// Kernel, initramfs twice (packed and unpacked), and room to run.
constexpr std::uint64_t kKernelBytes = 192 * kMiB;
constexpr std::uint64_t kBytesPerCpu = 4 * kMiB;  // per-CPU areas, stacks, run queues

}  // namespace

Result<std::vector<std::uint64_t>> plan_banks(const MachineConfig& config) {
  const auto& topology = config.topology;
  const auto least = kKernelBytes + topology.cpus() * kBytesPerCpu;
  if (config.memory.bytes < least)
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{} of memory is too little for {} CPUs: a kernel needs {} to boot",
                    format_byte_size(config.memory), topology.cpus(), format_byte_size(ByteSize{least}))};
  const auto per_node = (config.memory.bytes + topology.nodes - 1) / topology.nodes;
  const auto bank = (per_node + kBankAlignment - 1) / kBankAlignment * kBankAlignment;
  return std::vector<std::uint64_t>(topology.nodes, bank);
}

}  // namespace ktstr::vmm
