// KaslrKernel: a kernel's ELF moved to a random virtual address, as its own decompressor would do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

/// A PVH ELF, in memory, of the kernel at `elf` slid by a random multiple of kSlideAlignment (never 0) and
/// told that it is randomized, so that it randomizes its memory areas too. Booting `elf` itself through PVH
/// never randomizes: that is the decompressor's work, and under emulation it takes it seconds. Errors:
/// kUnavailable when the kernel has no relocations (built without RANDOMIZE_BASE, or an ELF from elsewhere);
/// kCorrupt when ELF or table reach outside the kernel.
[[nodiscard]] Result<Fd> make_kaslr_kernel(const std::filesystem::path& elf);

/// The same with the slide given, a multiple of kSlideAlignment up to largest_slide().
[[nodiscard]] Result<Fd> make_kaslr_kernel(std::span<const std::byte> elf, std::uint64_t slide);

}  // namespace ktstr::vmm::qemu
