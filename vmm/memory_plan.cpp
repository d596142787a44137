#include "vmm/memory_plan.h"

#include <fmt/format.h>

#include "engine/base/units.h"

namespace ktstr::vmm {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
/// Kernel, initramfs twice (packed and unpacked), and room to run.
constexpr std::uint64_t kKernelBytes = 192 * kMiB;
constexpr std::uint64_t kBytesPerCpu = 4 * kMiB;  // per-CPU areas, stacks, run queues

std::string text_of(std::uint64_t bytes) {
  return format_byte_size(ByteSize{bytes});
}

/// What the nodes state, and how many state nothing.
struct Stated {
  std::uint64_t bytes = 0;
  std::size_t nodes_without = 0;

  explicit Stated(const Topology& topology) {
    for (std::size_t node = 0; node < topology.nodes; ++node) {
      const auto memory = topology.node_memory(node);
      bytes += memory.value_or(ByteSize{}).bytes;
      nodes_without += memory ? 0 : 1;
    }
  }
};

/// What each node that states nothing gets.
Result<std::uint64_t> share_of(const Stated& stated, ByteSize memory) {
  if (stated.nodes_without == 0 && stated.bytes != memory.bytes)
    return invalid_argument(fmt::format("the topology's nodes have {} of memory in all, not {}",
                                        text_of(stated.bytes), format_byte_size(memory)));
  if (stated.nodes_without == 0) return 0;
  const auto rest = memory.bytes - std::min(memory.bytes, stated.bytes);
  const auto each = (rest + stated.nodes_without - 1) / stated.nodes_without;
  if (each < kLeastBank)
    return invalid_argument(fmt::format(
        "the topology's nodes state {} of memory: {} is too little for {} more of {}", text_of(stated.bytes),
        format_byte_size(memory), stated.nodes_without, text_of(kLeastBank)));
  return (each + kBankAlignment - 1) / kBankAlignment * kBankAlignment;
}

}  // namespace

Result<std::vector<std::uint64_t>> plan_banks(const Topology& topology, ByteSize memory) {
  const auto least = kKernelBytes + topology.cpus() * kBytesPerCpu;
  if (memory.bytes < least)
    return invalid_argument(fmt::format("{} of memory is too little for {} CPUs: a kernel needs {} to boot",
                                        format_byte_size(memory), topology.cpus(), text_of(least)));
  const auto share = KTSTR_TRY(share_of(Stated(topology), memory));
  std::vector<std::uint64_t> banks;
  for (std::size_t node = 0; node < topology.nodes; ++node)
    banks.push_back(topology.node_memory(node).value_or(ByteSize{share}).bytes);
  return banks;
}

}  // namespace ktstr::vmm
