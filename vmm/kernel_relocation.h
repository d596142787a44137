// Moving a kernel's ELF to another virtual address, as its own decompressor would do it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "vmm/kernel_elf.h"

namespace ktstr::vmm {

/// Zeroed memory for tens of megabytes that are used for a moment: in huge pages, where the host has them,
/// which is a fault for every 2 MiB and not for every 4 KiB; under a hypervisor one costs some 20 us.
class LargeBuffer {
 public:
  /// Errors: kIo when the memory is not available.
  [[nodiscard]] static Result<LargeBuffer> create(std::size_t bytes);
  LargeBuffer(LargeBuffer&& other) noexcept
      : mapping_(std::exchange(other.mapping_, {})), bytes_(std::exchange(other.bytes_, {})) {}
  LargeBuffer& operator=(LargeBuffer&&) = delete;
  ~LargeBuffer();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  LargeBuffer() = default;
  std::span<std::byte> mapping_;
  std::span<std::byte> bytes_;
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

/// The largest slide that leaves a kernel whose memory ends at `link_end` (bytes from the start of the
/// kernel's virtual range) inside kKernelImageSize.
[[nodiscard]] std::uint64_t largest_slide(std::uint64_t link_end);
inline constexpr std::uint64_t kSlideAlignment = 2 * 1024 * 1024;  // CONFIG_PHYSICAL_ALIGN

/// A random slide that fits the kernel, never 0. Errors: kCorrupt when none fits.
[[nodiscard]] Result<std::uint64_t> random_slide(const KernelElf& kernel);

/// Bytes of a kernel, and which of its segments they are from.
struct KernelPiece {
  std::size_t segment = 0;   ///< index into KernelElf::segments
  std::uint64_t offset = 0;  ///< in the segment
  std::span<const std::byte> bytes;
};

/// A kernel's segments as they are in the file: one piece each.
[[nodiscard]] std::vector<KernelPiece> pieces_of(const KernelElf& kernel);

/// A kernel that was slid. A slide changes about a third of the pages of a distribution's kernel, in a few
/// places: those are copied, the rest is as it is in the file.
class SlidKernel {
 public:
  /// Errors: kUnavailable when the kernel has no relocations (built without RANDOMIZE_BASE, or an ELF from
  /// elsewhere); kCorrupt when they reach outside the kernel.
  [[nodiscard]] static Result<SlidKernel> create(const KernelElf& kernel, std::uint64_t slide);

  /// Each segment's bytes from its first to its last, in order. Views of the kernel's file and of this.
  [[nodiscard]] std::span<const KernelPiece> pieces() const { return pieces_; }

 private:
  SlidKernel(LargeBuffer changed, std::vector<KernelPiece> pieces)
      : changed_(std::move(changed)), pieces_(std::move(pieces)) {}

  LargeBuffer changed_;
  std::vector<KernelPiece> pieces_;
};

}  // namespace ktstr::vmm
