// A kernel's ELF with our own PVH entry, at its own virtual address or, as its decompressor would do it, at
// a random one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/qemu/initramfs_place.h"

namespace ktstr::vmm::qemu {

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
