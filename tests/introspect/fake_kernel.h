// FakeKernel: a kernel as Kernel::attach() finds it, in every shape that real ones have.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "introspect/kernel.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/introspect/fake_btf.h"
#include "tests/introspect/fake_memory.h"

namespace ktstr::introspect::test {

struct FakeKernelShape {
  std::uint64_t slide = 0x0c20'0000;
  std::uint64_t load_address = 0x20'0000;  ///< physical address of _text, a multiple of 2 MB
  bool five_levels = false;
  bool zero_based_per_cpu = false;  ///< x86 before 6.15
  bool pti = false;                 ///< a second table for user mode, in the page after each kernel table
  std::uint32_t cpus = 3;
  KernelVirt page_offset{0};  ///< 0: some randomized place of the mode
};

/// RAM of 16 MB: an image of 2 MB, a direct map, per-CPU areas and one process's page table, with the
/// variables that attaching reads. Each CPU's copy of the per-CPU variable "cpu_number" holds its number.
class FakeKernel {
 public:
  explicit FakeKernel(const FakeKernelShape& shape = {});

  [[nodiscard]] FakeMemory& arena() { return arena_; }
  [[nodiscard]] const SpanMemory& memory() const { return arena_.memory(); }
  [[nodiscard]] const std::shared_ptr<const KernelDebugInfo>& debug_info() const { return debug_info_; }
  /// A vCPU stopped in kernel mode, or in user mode (with PTI: on the user table).
  [[nodiscard]] CpuContext vcpu(bool in_user_mode = false) const;
  [[nodiscard]] Result<Kernel> attach() const;

  /// The physical address of an image symbol.
  [[nodiscard]] GuestPhys physical(const std::string& symbol) const;
  [[nodiscard]] KernelVirt page_offset() const { return page_offset_; }
  [[nodiscard]] const FakeKernelShape& shape() const { return shape_; }

 private:
  void map_kernel(GuestPhys root);
  void fill_variables();
  void fill_per_cpu_areas();
  [[nodiscard]] KernelVirt link_address(const std::string& symbol) const;

  FakeKernelShape shape_;
  FakeMemory arena_;
  KernelVirt page_offset_;
  GuestPhys process_root_;
  std::vector<std::byte> btf_bytes_;
  std::shared_ptr<const KernelDebugInfo> debug_info_;
};

}  // namespace ktstr::introspect::test
