// KernelElf: what a boot loader needs of a kernel's ELF, and how to move it to another virtual address.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// A kernel's ELF, checked: segments lie in the file, above kLowestSegment and below 1 GiB. Views the bytes
/// it was read from.
struct KernelElf {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;  ///< PT_LOAD
  std::span<const std::byte> file;
  std::uint64_t end = 0;  ///< where the ELF's own bytes end and the relocations begin

  /// No kernel's segment begins below it: free for what starts the kernel.
  static constexpr std::uint64_t kLowestSegment = 0x108000;

  /// Errors: kCorrupt.
  [[nodiscard]] static Result<KernelElf> read(std::span<const std::byte> file);

  /// The physical address behind its last segment.
  [[nodiscard]] std::uint64_t link_end() const;
};

/// The relocation table that a kernel built with CONFIG_RANDOMIZE_BASE has behind its ELF: link-time
/// addresses (low 32 bits, to be sign-extended) of values that hold a virtual address. Form:
/// arch/x86/tools/relocs.c, emit_relocs().
struct KernelRelocations {
  std::span<const std::int32_t> add64;       ///< u64 += slide
  std::span<const std::int32_t> subtract32;  ///< s32 -= slide; per-CPU references of kernels before 6.15
  std::span<const std::int32_t> add32;       ///< u32 += slide
};

/// Splits the words behind the ELF. Nothing when they are no relocation table: not delimited by zeros in the
/// known way.
[[nodiscard]] std::optional<KernelRelocations> parse_relocations(std::span<const std::int32_t> words);

/// The largest slide for a kernel whose memory ends at `link_end` (bytes from the start of the kernel's
/// virtual range): KERNEL_IMAGE_SIZE, 1 GiB, bounds that range (arch/x86/include/asm/page_64_types.h).
[[nodiscard]] std::uint64_t largest_slide(std::uint64_t link_end);
inline constexpr std::uint64_t kSlideAlignment = 2 * 1024 * 1024;  // CONFIG_PHYSICAL_ALIGN

/// A random slide that fits the kernel, never 0. Errors: kCorrupt when none fits.
[[nodiscard]] Result<std::uint64_t> random_slide(const KernelElf& kernel);

/// The loaded bytes at [address, address + bytes), a physical range; nullptr outside the kernel.
using LoadedBytes = std::function<std::byte*(std::uint64_t address, std::size_t bytes)>;

/// Slides the loaded kernel, as its own decompressor would do it. Errors: kUnavailable when the kernel has no
/// relocations (built without RANDOMIZE_BASE, or an ELF from elsewhere); kCorrupt when they reach outside the
/// kernel.
[[nodiscard]] Status relocate_kernel(const KernelElf& kernel, std::uint64_t slide, const LoadedBytes& loaded);

}  // namespace ktstr::vmm
