// The configuration that lies beside a kernel image.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ktstr::vmm {

/// `config-RELEASE` in the image's folder, as /boot has it; else the `.config` of the build tree that the
/// image lies in (its top, or arch/x86/boot), provided that the tree is of this release
/// (include/config/kernel.release). nullopt when there is neither.
[[nodiscard]] std::optional<std::filesystem::path> config_beside(const std::filesystem::path& image,
                                                                 const std::string& release);

}  // namespace ktstr::vmm
