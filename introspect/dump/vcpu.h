// What a dump says of each vCPU: registers and performance counters at the freeze.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// One stopped vCPU.
struct VcpuRegSnapshot {
  std::uint64_t instruction_pointer = 0;
  std::uint64_t stack_pointer = 0;
  std::uint64_t page_table_root = 0;
  std::uint64_t flags = 0;
  bool user_mode = false;
  std::array<std::uint64_t, 16> general{};
  std::optional<std::string> symbol{};  ///< "schedule+0x1c"; absent outside the kernel image

  static consteval auto describe() {
    using T = VcpuRegSnapshot;
    return record("one vCPU's registers at the freeze", field<&T::instruction_pointer>("RIP"),
                  field<&T::stack_pointer>("RSP"), field<&T::page_table_root>("CR3, with its PCID"),
                  field<&T::flags>("RFLAGS"), field<&T::user_mode>("whether it was stopped in user mode"),
                  field<&T::general>("rax rbx rcx rdx rsi rdi rbp rsp r8 to r15"),
                  field<&T::symbol>("where it was stopped, when that is in the kernel image"));
  }
};

/// Hardware counters of one vCPU, guest execution only. No emulated machine has them.
struct VcpuPerfSample {
  std::uint64_t cycles = 0;
  std::uint64_t instructions = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t branch_misses = 0;

  static consteval auto describe() {
    using T = VcpuPerfSample;
    return record("one vCPU's hardware counters, guest execution only", field<&T::cycles>("CPU cycles"),
                  field<&T::instructions>("instructions retired"),
                  field<&T::cache_misses>("last-level cache misses"),
                  field<&T::branch_misses>("branches predicted wrongly"));
  }
};

}  // namespace ktstr::introspect
