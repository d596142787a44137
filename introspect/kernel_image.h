// Finding a running kernel's image in physical memory: where it lies, where it is mapped, and its own page
// table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "introspect/memory.h"
#include "introspect/paging.h"

namespace ktstr::introspect {

class SymbolTable;

/// The part of one vCPU's registers that helps to find the kernel. A register that is unknown is absent.
struct CpuContext {
  std::uint64_t cr3 = 0;
  std::uint64_t cr4 = 0;
  std::uint64_t efer = 0;
  std::uint64_t rip = 0;
  std::uint64_t gs_base = 0;
  std::optional<std::uint64_t> idt_base;
  std::optional<std::uint64_t> lstar;
};

/// Where the kernel is. `slide` and `phys_base` wrap modulo 2^64.
struct KernelImage {
  std::uint64_t slide = 0;  ///< runtime minus link-time address (KASLR); a multiple of 2 MB
  std::uint64_t phys_base =
      0;                 ///< physical = runtime address - 0xffffffff80000000 + phys_base, within the image
  KernelVirt begin;      ///< runtime address of _text
  KernelVirt end;        ///< runtime address of _end
  PageTable page_table;  ///< init_top_pgt: the kernel's own, valid whatever runs
  std::string found_by;  ///< "CR3 of vCPU 0", "a scan of physical memory": for reports

  [[nodiscard]] KernelRange range() const { return {begin, end}; }
  [[nodiscard]] GuestPhys physical(KernelVirt address) const {
    return GuestPhys(address.value() - kImageMapBase + phys_base);
  }
  /// __START_KERNEL_map (arch/x86/include/asm/page_64_types.h)
  static constexpr std::uint64_t kImageMapBase = 0xffff'ffff'8000'0000;
};

/// Finds the image that `symbols` describe. First through each vCPU's page table (with and without the PTI
/// bit of CR3, so that a guest stopped in user mode will do), then, when that gives nothing, by scanning
/// physical memory in the image's alignment of 2 MB.
///
/// A place is accepted only if the text at linux_banner begins "Linux version ", the variable phys_base holds
/// what the place implies, and init_top_pgt maps linux_banner to the same physical address. kNotFound says
/// what was tried and why each failed.
[[nodiscard]] Result<KernelImage> locate_kernel_image(const PhysicalMemory& memory,
                                                      const SymbolTable& symbols,
                                                      std::span<const CpuContext> vcpus);

}  // namespace ktstr::introspect
