// Where a QEMU machine's initramfs lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "engine/base/address.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

struct InitramfsPlace {
  GuestPhys at;  ///< a large page's boundary
  std::uint64_t bytes = 0;
};

/// Right behind the kernel, far from what the firmware uses at the end of the first bank. QEMU's own choice
/// for microvm, right below that end, is where SeaBIOS 1.16.3 and newer put the ACPI tables. Errors:
/// kInvalidArgument when the bank is too small.
[[nodiscard]] Result<InitramfsPlace> place_initramfs(std::uint64_t bytes, GuestPhys kernel_end,
                                                     std::uint64_t first_bank_bytes);

/// An initramfs that is to be put into the guest's memory.
struct InitramfsRoom {
  std::uint64_t bytes = 0;
  std::uint64_t first_bank_bytes = 0;  ///< what there is for kernel, initramfs and firmware
};

struct PvhKernel {
  Fd elf;                    ///< in memory
  InitramfsPlace initramfs;  ///< where its entry (pvh_entry.S) expects it
};

/// The kernel at `elf`. With `kaslr` it is slid by a random multiple of kSlideAlignment (never 0) and told
/// that it is randomized, so that it randomizes its memory areas too: PVH never randomizes by itself, that is
/// the decompressor's work, and under emulation it takes it seconds. Errors: kUnavailable when a kernel to be
/// slid has no relocations (built without RANDOMIZE_BASE, or an ELF from elsewhere); kCorrupt when ELF or
/// table reach outside the kernel; kInvalidArgument when there is no room.
[[nodiscard]] Result<PvhKernel> make_pvh_kernel(const std::filesystem::path& elf, bool kaslr,
                                                InitramfsRoom room);

/// The same with the slide given, a multiple of kSlideAlignment up to largest_slide(); nullopt: not slid.
[[nodiscard]] Result<PvhKernel> make_pvh_kernel(std::span<const std::byte> elf,
                                                std::optional<std::uint64_t> slide, InitramfsRoom room);

}  // namespace ktstr::vmm::qemu
