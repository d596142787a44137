// What starts a 64-bit Linux kernel, whoever loads it (Documentation/arch/x86/boot.rst, "64-bit Boot
// Protocol"), and its command line.
#pragma once

#include <asm/bootparam.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// struct boot_params with the header that a loader fills in for an ELF kernel, which has none of its own;
/// memory map, command line and initramfs are still to come. `randomized`: the kernel has been moved by
/// SlidKernel and is to randomize its memory areas too.
[[nodiscard]] boot_params elf_boot_params(bool randomized);

/// Selectors of the protocol's flat segments and their descriptors, a GDT of four entries.
inline constexpr std::uint16_t kBootCs = 0x10, kBootDs = 0x18;
inline constexpr std::uint64_t kBootGdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};

/// Page tables that map the first 4 GiB to themselves in pages of 2 MiB, to be placed at `at` (a page
/// boundary below 4 GiB): a PML4, a PDPT and four page directories, of 512 entries each.
[[nodiscard]] std::vector<std::uint64_t> identity_map(GuestPhys at);
inline constexpr std::uint64_t kIdentityMapBytes = 6 * 4096;

/// What every backend asks of the kernel (console on ttyS0, an immediate reset after a panic, an init whose
/// parts lie close together ...), then
/// `backends_own`, then the configuration's.
[[nodiscard]] std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own);

/// COMMAND_LINE_SIZE of x86 (arch/x86/include/asm/setup.h), with the terminator: the kernel cuts what is
/// longer.
inline constexpr std::size_t kMostCommandLine = 2048;

/// Whether every backend's command line for this configuration fits. Errors: kInvalidArgument with its
/// length.
[[nodiscard]] Status check_command_line(const MachineConfig& config);

}  // namespace ktstr::vmm
