#include <doctest/doctest.h>

#include <array>

#include "vmm/kvm/vcpu.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kBase = 0xffffffff82000000;

std::uint64_t dr7(std::size_t bytes) {
  const Watchpoint watchpoint{KernelVirt(kBase), bytes};
  return debug_registers(std::span(&watchpoint, 1)).arch.debugreg[7];
}

}  // namespace

// DR7 of register 0: G0 is bit 1, LE and GE bits 8 and 9, bit 10 is always 1, R/W0 (1: writes) bits 16 and
// 17, LEN0 (1, 2, 8, 4 bytes: 0, 1, 2, 3) bits 18 and 19.
TEST_CASE("DR7 says the length of a watchpoint as the hardware does") {
  CHECK(dr7(1) == 0x00010702);
  CHECK(dr7(2) == 0x00050702);
  CHECK(dr7(4) == 0x000d0702);
  CHECK(dr7(8) == 0x00090702);
}

TEST_CASE("each watchpoint has its register and its bits of DR7") {
  const std::array four{Watchpoint{KernelVirt(kBase), 1}, Watchpoint{KernelVirt(kBase + 2), 2},
                        Watchpoint{KernelVirt(kBase + 4), 4}, Watchpoint{KernelVirt(kBase + 8), 8}};
  const auto debug = debug_registers(four);
  CHECK(debug.control == (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP));
  for (std::size_t i = 0; i < four.size(); ++i) CHECK(debug.arch.debugreg[i] == four[i].address.value());
  CHECK(debug.arch.debugreg[7] == 0x9d5107aa);
  CHECK(debug.arch.debugreg[6] == 0);
}

TEST_CASE("no watchpoint turns the debug registers off") {
  const auto debug = debug_registers({});
  CHECK(debug.control == 0);
  CHECK(debug.arch.debugreg[7] == 0);
}

}  // namespace ktstr::vmm::kvm
