// Puts a Linux kernel into a machine's memory, ready to run.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "vmm/kvm/guest_memory.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// Puts bytes into the guest's memory at a place that is RAM.
using WriteMemory = std::function<Status(GuestPhys at, std::span<const std::byte> bytes)>;

struct LinuxToLoad {
  std::span<const std::byte> kernel;  ///< ELF or bzImage
  int kernel_fd = -1;  ///< the kernel's file, when there is one: reading is quicker than copying
  std::span<const std::byte> initramfs;
  std::string command_line;
  /// Moves an ELF to a random address. A bzImage's own decompressor does that, unless "nokaslr" is on the
  /// command line.
  bool kaslr = true;
  GuestPhys acpi_rsdp;
  /// By default a copy through the mapping. A memfd is better written to: no fault for each page of it.
  WriteMemory write{};
};

/// Where vCPU 0 begins (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
struct LinuxEntry {
  GuestPhys entry;
  GuestPhys boot_params;
};

/// Writes kernel, initramfs, command line, boot_params with the memory map, page tables and GDT (places:
/// layout.h). `ram`: all of it, ascending. Errors: kCorrupt, what is wrong with the kernel; kInvalidArgument,
/// what does not fit into the memory; kUnavailable, a kernel that can't be moved or has no 64-bit entry. Any
/// bytes are accepted as kernel.
[[nodiscard]] Result<LinuxEntry> load_linux(std::span<const MemoryRegion> ram, const LinuxToLoad& what);

}  // namespace ktstr::vmm::kvm
