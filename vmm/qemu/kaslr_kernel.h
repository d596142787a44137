// KaslrKernel: a kernel's ELF moved to a random virtual address, as its own decompressor would do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

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

/// A PVH ELF, in memory, of the kernel at `elf` slid by a random multiple of kSlideAlignment (never 0) and
/// told that it is randomized, so that it randomizes its memory areas too. Booting `elf` itself through PVH
/// never randomizes: that is the decompressor's work, and under emulation it takes it seconds. Errors:
/// kUnavailable when the kernel has no relocations (built without RANDOMIZE_BASE, or an ELF from elsewhere);
/// kCorrupt when ELF or table reach outside the kernel.
[[nodiscard]] Result<Fd> make_kaslr_kernel(const std::filesystem::path& elf);

/// The same with the slide given, a multiple of kSlideAlignment up to largest_slide().
[[nodiscard]] Result<Fd> make_kaslr_kernel(std::span<const std::byte> elf, std::uint64_t slide);

}  // namespace ktstr::vmm::qemu
