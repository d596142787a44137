// Kernel images: from a bzImage or an ELF to the kernel's ELF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::vmm {

enum class ImageFormat { kBzImage, kElf };

/// A kernel's ELF taken out of an image. `elf` views either `decompressed` or, for an ELF image, the image
/// itself, which must then outlive this. Move-only, so that the view stays true.
struct ExtractedKernel {
  ImageFormat format = ImageFormat::kElf;
  std::vector<std::byte> decompressed;
  std::span<const std::byte> elf;
  std::string release;  ///< "7.3.4+deb13-cloud-amd64": what `uname -r` prints; see is_valid_release()
  std::optional<std::string> build_id;  ///< NT_GNU_BUILD_ID in hexadecimal

  ExtractedKernel() = default;
  ExtractedKernel(ExtractedKernel&&) = default;
  ExtractedKernel& operator=(ExtractedKernel&&) = default;
};

/// Recognises `image` and extracts its ELF. Errors (kCorrupt) say which part is damaged; (kInvalidArgument)
/// neither bzImage nor ELF, not an x86-64 kernel, or a compression that is not supported. Any bytes are
/// accepted as input.
[[nodiscard]] Result<ExtractedKernel> extract_kernel(std::span<const std::byte> image);

/// A kernel release as utsname has it: 1 to 64 of [A-Za-z0-9._+~-], beginning with a digit; safe as part of a
/// file name.
[[nodiscard]] bool is_valid_release(std::string_view release);

}  // namespace ktstr::vmm
