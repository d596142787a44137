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
  std::uint64_t page_table_root = 0;  ///< CR3, with its PCID
  std::uint64_t flags = 0;
  bool user_mode = false;
  std::array<std::uint64_t, 16> general{};  ///< rax rbx rcx rdx rsi rdi rbp rsp r8 to r15
  std::optional<std::string> symbol{};      ///< "schedule+0x1c"; absent outside the kernel image
};

/// Hardware counters of one vCPU, guest execution only. No emulated machine has them.
struct VcpuPerfSample {
  std::uint64_t cycles = 0;
  std::uint64_t instructions = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t branch_misses = 0;
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::VcpuRegSnapshot> = [] {
  using T = introspect::VcpuRegSnapshot;
  return record<T>("VcpuRegSnapshot", "one vCPU's registers at the freeze",
                   field("instruction_pointer", &T::instruction_pointer, "RIP"),
                   field("stack_pointer", &T::stack_pointer, "RSP"),
                   field("page_table_root", &T::page_table_root, "CR3, with its PCID"),
                   field("flags", &T::flags, "RFLAGS"),
                   field("user_mode", &T::user_mode, "whether it was stopped in user mode"),
                   field("general", &T::general, "rax rbx rcx rdx rsi rdi rbp rsp r8 to r15"),
                   field("symbol", &T::symbol, "where it was stopped, when that is in the kernel image"));
}();
template <>
inline constexpr auto describe<introspect::VcpuPerfSample> = [] {
  using T = introspect::VcpuPerfSample;
  return record<T>("VcpuPerfSample", "one vCPU's hardware counters, guest execution only",
                   field("cycles", &T::cycles, "CPU cycles"),
                   field("instructions", &T::instructions, "instructions retired"),
                   field("cache_misses", &T::cache_misses, "last-level cache misses"),
                   field("branch_misses", &T::branch_misses, "branches predicted wrongly"));
}();
}  // namespace ktstr
