#include "vmm/kvm/debug_registers.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kDr7Fixed = 0x700;  // bit 10 reads as 1; LE and GE, for exact data breakpoints
constexpr std::uint64_t kBreakOnWrite = 1;
constexpr std::uint64_t kGlobalEnable = 2;

/// LEN of DR7: 1, 2, 8 and 4 bytes are 0, 1, 2 and 3.
std::uint64_t length_code(std::size_t bytes) {
  return bytes == 8 ? 2 : bytes - 1;
}

}  // namespace

kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints) {
  kvm_guest_debug debug{};
  if (watchpoints.empty()) return debug;
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
  auto& dr7 = debug.arch.debugreg[7];
  dr7 = kDr7Fixed;
  for (std::size_t i = 0; i < watchpoints.size(); ++i) {
    debug.arch.debugreg[i] = watchpoints[i].address.value();
    dr7 |= kGlobalEnable << (2 * i);
    dr7 |= (kBreakOnWrite | length_code(watchpoints[i].bytes) << 2) << (16 + 4 * i);
  }
  return debug;
}

}  // namespace ktstr::vmm::kvm
