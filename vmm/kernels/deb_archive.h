// Kernel files out of Debian packages.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::vmm {

/// What a package held of a kernel.
struct KernelFiles {
  std::optional<std::filesystem::path> image;
  std::optional<std::filesystem::path> config;
};

/// Writes the image and configuration of kernel `release` in package `deb` into a directory; nothing else of
/// the package is unpacked. Errors: kCorrupt, not a package or a damaged one; kIo.
[[nodiscard]] Result<KernelFiles> unpack_kernel(const std::filesystem::path& deb, std::string_view release,
                                                const std::filesystem::path& into);

}  // namespace ktstr::vmm
