// KernelElf: what a boot loader needs of a kernel's ELF.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// What a kernel spans at most, virtually and from physical address 0: KERNEL_IMAGE_SIZE with RANDOMIZE_BASE
/// (arch/x86/include/asm/page_64_types.h).
inline constexpr std::uint64_t kKernelImageSize = 1ULL << 30;

/// A kernel's ELF, checked: segments lie in the file, above kLowestSegment and below kKernelImageSize. Views
/// the bytes it was read from.
struct KernelElf {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;  ///< PT_LOAD
  std::span<const std::byte> file;
  int fd = -1;            ///< the same file's, for what is quicker read than copied; -1 when there is none
  std::uint64_t end = 0;  ///< where the ELF's own bytes end and the relocations begin

  /// No kernel's segment begins below it: free for what starts the kernel.
  static constexpr std::uint64_t kLowestSegment = 0x108000;

  /// `fd` must stay open as long as this is used. Errors: kCorrupt.
  [[nodiscard]] static Result<KernelElf> read(std::span<const std::byte> file, int fd = -1);

  /// The physical address behind its last segment.
  [[nodiscard]] std::uint64_t link_end() const;
};

}  // namespace ktstr::vmm
